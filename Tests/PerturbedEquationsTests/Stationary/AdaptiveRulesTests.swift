import Foundation
import PerturbedEquations
import Testing

/// The stationary variance of θ under the rules that divide by √v.
///
/// With β₂ near 1, v is nearly constant at S = E[ĝ²] = h²V + σ², and the rule is linear with the step
/// κ = η/√S; V and S are found together by iteration. What is neglected is of order 1 − β₂ (the fluctuation of
/// v, relative variance 1 − β₂, and its correlation with θ), below 0.1% here. Dimensions and tolerance: 5
/// standard errors are 4%, so that σ², √2·σ, a missing bias correction or a lost root fails.
@Suite struct AdaptiveRulesTests {
    static let h = 1.0
    static let rate = 0.05
    static let sigma = 0.5
    static let beta2 = 0.9985
    static let steps = 4000

    /// V at stationarity, with v = `fraction`·E[ĝ²].
    static func theory(fraction: Double = 1, _ dynamics: (_ kappa: Double) -> LinearDynamics) -> Double {
        variance(fraction: fraction) { dynamics($0).moments(steps: 2000, additive: sigma * sigma).square }
    }

    /// The same from the variance that a step κ gives.
    static func variance(fraction: Double = 1, _ variance: (_ kappa: Double) -> Double) -> Double {
        var v = 0.0
        for _ in 0..<20 {
            let s = fraction * (h * h * v + sigma * sigma)
            v = variance(rate / s.squareRoot())
        }
        return v
    }

    /// The same where v leaves out the noise: S = h²V.
    static func knownNoise(
        rate: Double, fraction: Double = 1, _ dynamics: (_ kappa: Double) -> LinearDynamics
    ) -> Double {
        var v = 0.3
        for _ in 0..<100 {
            let s = fraction * h * h * v
            let next = dynamics(rate / s.squareRoot()).moments(steps: 2000, additive: sigma * sigma).square
            // Damped, because S feels all of V.
            v = (v * next).squareRoot()
        }
        return v
    }

    static let perturbations: [any Perturbation] = [
        Gaussian(sigma: 0.5), Uniform(sigma: 0.5), Laplace(sigma: 0.5), Orthogonal(sigma: 0.5),
    ]

    static func check(
        _ rule: any UpdateRule, _ perturbation: any Perturbation, _ theory: Double, seed: UInt64
    ) throws {
        let measured = try Quadratic(h: h, dimensions: 30_000).run(
            PerturbedEquation(rule: rule, perturbation: perturbation), steps: steps, seed: seed,
            as: Float.self)
        let z = measured.deviations(mean: 0, square: theory)
        #expect(
            abs(z.square) < 5 && abs(z.mean) < 5,
            "\(type(of: rule)) × \(type(of: perturbation)): \(measured), theory \(theory), \(z)")
    }

    @Test(arguments: perturbations.indices)
    func adam(_ index: Int) throws {
        let theory = Self.theory { .averaged(rate: $0, 0.8, h: Self.h) }
        try Self.check(
            Adam(learningRate: Scheduled(Self.rate), beta1: 0.8, beta2: Scheduled(Self.beta2)),
            Self.perturbations[index],
            theory, seed: UInt64(index))
    }

    /// The decay acts on θ with ηλ, outside of the division by √v.
    @Test func adamW() throws {
        let decay = 2.0
        let theory = Self.theory { .averaged(rate: $0, 0.8, h: Self.h, decay: Self.rate * decay) }
        try Self.check(
            AdamW(
                learningRate: Scheduled(Self.rate), beta1: 0.8, beta2: Scheduled(Self.beta2),
                weightDecay: Scheduled(decay)), Gaussian(sigma: 0.5), theory, seed: 20)
    }

    /// AdaGrad's sum grows: V(n+1) = (1 − κₙh)²V(n) + κₙ²σ² with κₙ = η/√(s₀ + Σ E[ĝ²]). A large s₀ keeps the
    /// scatter of the sum small.
    @Test(arguments: [0, 2])
    func adaGrad(_ index: Int) throws {
        let (rate, start, sigma) = (20.0, 400.0, 0.5)
        var (variance, sum) = (0.0, start)
        for _ in 0..<1000 {
            sum += Self.h * Self.h * variance + sigma * sigma
            let kappa = rate / sum.squareRoot()
            variance = (1 - kappa * Self.h) * (1 - kappa * Self.h) * variance + kappa * kappa * sigma * sigma
        }
        let measured = try Quadratic(h: Self.h, dimensions: 30_000).run(
            PerturbedEquation(
                rule: AdaGrad(learningRate: Scheduled(rate), initialAccumulator: start),
                perturbation: Self.perturbations[index]), steps: 1000, seed: 45, as: Float.self)
        let z = measured.deviations(mean: 0, square: variance)
        #expect(abs(z.square) < 5 && abs(z.mean) < 5, "\(measured), theory \(variance)")
    }

    /// The noise is taken off: S = h²V, and the noise does not shorten the step. The floor serves the first
    /// steps, before there is an average.
    @Test func adamPE() throws {
        let rate = 0.3
        try Self.check(
            AdamPE(
                learningRate: Scheduled(rate), beta1: 0.5, beta2: Scheduled(Self.beta2), floor: 0.02,
                noiseFloor: 0), Gaussian(sigma: 0.5),
            Self.knownNoise(rate: rate) { .averaged(rate: $0, 0.5, h: Self.h) }, seed: 46)
    }

    @Test func rmsPE() throws {
        let rate = 0.3
        let fraction = 1 - pow(Self.beta2, Double(Self.steps))
        try Self.check(
            RMSPE(
                learningRate: Scheduled(rate), alpha: Scheduled(Self.beta2), floor: 0.02, noiseFloor: 0),
            Gaussian(sigma: 0.5),
            Self.knownNoise(rate: rate, fraction: fraction) { .sgd(rate: $0, h: Self.h) }, seed: 47)
    }

    /// RMSProp corrects no bias: after n steps v has reached the fraction 1 − αⁿ of E[ĝ²].
    @Test(arguments: [0, 2])
    func rmsProp(_ index: Int) throws {
        let theory = Self.theory { .sgd(rate: $0, h: Self.h) }
        try Self.check(
            RMSProp(learningRate: Scheduled(Self.rate), alpha: Scheduled(Self.beta2)),
            Self.perturbations[index], theory,
            seed: 30 + UInt64(index))
    }

    @Test func rmsPropCentredWithMomentum() throws {
        let theory = Self.theory { .momentum(rate: $0, 0.5, h: Self.h) }
        try Self.check(
            RMSProp(
                learningRate: Scheduled(Self.rate), alpha: Scheduled(Self.beta2), momentum: 0.5, centred: true
            ),
            Gaussian(sigma: 0.5), theory, seed: 40)
    }
}
