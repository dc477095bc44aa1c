import Foundation
import PerturbedEquations
import Testing

/// Each sampler against the exact Gaussian posterior: promise 7.
///
/// Many independent chains (the elements of a tensor), read once after they have forgotten their start, so that
/// the standard errors need no autocorrelation time. The step is so small that the bias of a finite η, which is
/// known exactly, is below 1.5%; the measured moments must fit the exact posterior up to that bias, and the
/// biased ones to 5 standard errors.
@Suite struct SamplerTests {
    /// The mean loss is ½h(θ − μ)² over N examples; the prior N(0, 1/(Nλ)).
    static let (h, mu, lambda, size) = (1.5, 0.8, 0.25, 40.0)
    static let temperature = 0.7
    /// The posterior's precision before T, and its mean.
    static let precision = size * (h + lambda)
    static let mean = h * mu / (h + lambda)
    static let variance = temperature / precision

    /// (θ, v) with friction a and noise of friction c: v' = (1−a)v − ηPθ + √(2cηT)ξ, θ' = θ + v'.
    static func hamiltonian(
        _ rate: Double, _ p: Double, friction a: Double, noise c: Double, extra: Double = 0
    )
        -> LinearSystem
    {
        LinearSystem(
            a: [[1 - rate * p, 1 - a], [-rate * p, 1 - a]],
            q: LinearSystem.noise([1, 1], variance: 2 * c * rate * temperature + extra))
    }

    /// The thermostat's friction: the one at which v has the variance ηT.
    static func thermostat(_ rate: Double, _ p: Double, noise c: Double, extra: Double = 0) -> Double {
        var (low, high) = (1e-6, 0.9)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            let v = hamiltonian(rate, p, friction: middle, noise: c, extra: extra).stationary[1][1]
            if v > rate * temperature { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// A thermostat that settles within a hundred steps of η = 0.002/P: its rate is ηT/(μa).
    static let inertia = Scheduled(0.002 / precision * temperature / 0.001)

    struct Case {
        let name: String
        let rule: any UpdateRule
        /// The variance with the bias of the finite step.
        let biased: Double
        let steps: Int
    }

    static let cases: [Case] = {
        let (t, n, l) = (Scheduled(temperature), size, Scheduled(lambda))
        // ηP = 0.02: forgets e-fold in 50 steps.
        let rate = 0.02 / precision
        let r = Scheduled(rate)
        let slow = 0.002 / precision
        let s = Scheduled(slow)
        // pSGLD: v settles at S = (h+λ)²E[(θ−mean)²], G = 1/√S; then it is SGLD with ηG. α(t) = t/(t+1) makes v
        // the mean over all steps.
        let running = Scheduled(1) + Scheduled(-1) * Scheduled(InversePowerSchedule(from: 1, exponent: 1))
        let root = (h + lambda) * variance.squareRoot()
        let preconditioned = 0.02 / precision * root
        let heat = thermostat(slow, precision, noise: 0.02)
        return [
            Case(
                name: "sgld",
                rule: SGLD(learningRate: r, temperature: t, dataSize: n, weightDecay: l),
                biased: variance / (1 - 0.01), steps: 500),
            Case(
                name: "sghmc",
                rule: SGHMC(learningRate: s, friction: 0.1, temperature: t, dataSize: n, weightDecay: l),
                biased: hamiltonian(slow, precision, friction: 0.1, noise: 0.1).stationary[0][0],
                steps: 900),
            Case(
                name: "sgnht",
                rule: SGNHT(
                    learningRate: s, friction: 0.02, inertia: inertia, temperature: t, dataSize: n,
                    weightDecay: l),
                biased: hamiltonian(slow, precision, friction: heat, noise: 0.02).stationary[0][0],
                steps: 1500),
            Case(
                name: "psgld",
                rule: PSGLD(
                    learningRate: Scheduled(preconditioned), alpha: running, epsilon: 1e-9, temperature: t,
                    dataSize: n, weightDecay: l),
                biased: variance / (1 - 0.01), steps: 12_000),
        ]
    }()

    static func sample<S: EquationScalar>(
        _ rule: any UpdateRule, steps: Int, dimensions: Int, terms: [any Perturbation] = [], _: S.Type
    ) throws -> (Quadratic.Measured, PerturbedOptimizer) {
        let tensors = Tensors<S>(sizes: [dimensions]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: PerturbedEquation(rule: rule, perturbation: terms),
            seed: 60, engine: Engine(parallel: .serial))
        let (h, mu) = (S(h), S(mu))
        for _ in 0..<steps {
            tensors.setGradient { _, _, theta in h * (theta - mu) }
            try optimizer.step(tensors.buffers)
        }
        return (Quadratic.Measured(tensors[0].map { Double($0) - mean }), optimizer)
    }

    @Test(arguments: cases.indices)
    func theExactPosterior(_ index: Int) throws {
        try check(Self.cases[index], Float.self)
        try check(Self.cases[index], Double.self)
    }

    private func check<S: EquationScalar>(_ c: Case, _: S.Type) throws {
        let dimensions = c.name == "psgld" ? 6000 : 20_000
        let (measured, _) = try Self.sample(c.rule, steps: c.steps, dimensions: dimensions, S.self)
        let z = measured.deviations(mean: 0, square: c.biased)
        // pSGLD's gradient on the way from its start is in v for a while: 2% of G, half of that in the variance.
        let slack = c.name == "psgld" ? 0.01 : 0
        #expect(abs(z.mean) < 5, "\(c.name): \(measured)")
        #expect(
            abs(measured.square - c.biased) < 5 * measured.squareError + slack * Self.variance,
            "\(c.name): \(measured), theory \(c.biased), exact \(Self.variance)")
        #expect(abs(c.biased / Self.variance - 1) < 0.015, "\(c.name): \(c.biased) for \(Self.variance)")
        // This measure tells a lost factor 2, √2, N or T.
        #expect(5 * measured.squareError + slack * Self.variance < 0.15 * Self.variance)
    }

    /// Noise in the gradient heats SGHMC as theory says; told of it, or with a thermostat, it samples at T.
    @Test func noisyGradients() throws {
        let rate = 0.002 / Self.precision
        // Noise of variance s in ∇U stands for the friction ηs/(2T): here 0.05.
        let s = 0.05 * 2 * Self.temperature / rate
        let noise = Gaussian(sigma: .absolute(Scheduled(s.squareRoot() / Self.size)))
        func run(_ rule: any UpdateRule) throws -> (Quadratic.Measured, PerturbedOptimizer) {
            try Self.sample(rule, steps: 900, dimensions: 20_000, terms: [noise], Float.self)
        }
        let (r, t, l) = (Scheduled(rate), Scheduled(Self.temperature), Scheduled(Self.lambda))
        let heated = try run(
            SGHMC(learningRate: r, friction: 0.1, temperature: t, dataSize: Self.size, weightDecay: l)
        ).0
        let extra = rate * rate * s
        let theory = Self.hamiltonian(rate, Self.precision, friction: 0.1, noise: 0.1, extra: extra)
        #expect(abs(heated.deviations(mean: 0, square: theory.stationary[0][0]).square) < 5)
        #expect(heated.square > 1.4 * Self.variance)
        let told = try run(
            SGHMC(
                learningRate: r, friction: 0.1, gradientNoise: 0.05, temperature: t, dataSize: Self.size,
                weightDecay: l)
        ).0
        #expect(abs(told.square / Self.variance - 1) < 0.01 + 5 * told.squareError / Self.variance)
        let (thermal, optimizer) = try run(
            SGNHT(
                learningRate: r, friction: 0.02, inertia: Self.inertia, temperature: t, dataSize: Self.size,
                weightDecay: l))
        // The thermostat's own bias is half its friction.
        #expect(abs(thermal.square / Self.variance - 1) < 0.04 + 5 * thermal.squareError / Self.variance)
        let alpha = try #require(optimizer.scalars.ruleMemory?[0][0])
        let expected = Self.thermostat(rate, Self.precision, noise: 0.02, extra: extra)
        #expect(abs(alpha - expected) < 0.005 && abs(expected - 0.07) < 0.01, "\(alpha) for \(expected)")
    }
}
