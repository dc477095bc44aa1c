import Foundation
import PerturbedEquations
import Testing

/// The samplers on a correlated Gaussian in two dimensions, U = ½θᵀPθ; and one long chain by itself.
@Suite struct CorrelatedPosteriorTests {
    static let p = [[2.0, -0.9], [-0.9, 1.0]]
    /// P⁻¹.
    static let covariance: [[Double]] = {
        let d = p[0][0] * p[1][1] - p[0][1] * p[1][0]
        return [[p[1][1] / d, -p[0][1] / d], [-p[1][0] / d, p[0][0] / d]]
    }()

    /// θ' = (1 − ηGP)θ + √(2ηG)ξ.
    static func overdamped(_ rate: Double, _ g: [Double] = [1, 1]) -> LinearSystem {
        LinearSystem(
            a: (0..<2).map { i in (0..<2).map { (i == $0 ? 1 : 0) - rate * g[i] * p[i][$0] } },
            q: [[2 * rate * g[0], 0], [0, 2 * rate * g[1]]])
    }

    /// (θ, v): v' = (1−a)v − ηPθ + √(2aη)ξ, θ' = θ + v'.
    static func underdamped(_ rate: Double, _ a: Double) -> LinearSystem {
        let identity = [[1.0, 0], [0, 1]]
        var system = LinearSystem(a: [], q: [])
        for half in 0..<2 {
            for i in 0..<2 {
                let theta = (0..<2).map { (half == 0 ? identity[i][$0] : 0) - rate * p[i][$0] }
                system.a.append(theta + identity[i].map { $0 * (1 - a) })
                system.q.append((identity[i] + identity[i]).map { $0 * 2 * a * rate })
            }
        }
        return system
    }

    static let cases: [(name: String, rule: any UpdateRule, theory: LinearSystem, steps: Int)] = {
        let (rate, slow) = (0.01, 0.001)
        // pSGLD: gᵢ = (Pθ)ᵢ has the variance (P·P⁻¹·P)ᵢᵢ = Pᵢᵢ, G = 1/√Pᵢᵢ.
        let g = [1 / p[0][0].squareRoot(), 1 / p[1][1].squareRoot()]
        let running = Scheduled(1) + Scheduled(-1) * Scheduled(InversePowerSchedule(from: 1, exponent: 1))
        return [
            ("sgld", SGLD(learningRate: Scheduled(rate)), overdamped(rate), 2000),
            (
                "psgld", PSGLD(learningRate: Scheduled(rate), alpha: running, epsilon: 1e-9),
                overdamped(rate, g), 20_000
            ),
            (
                "sghmc", SGHMC(learningRate: Scheduled(slow), friction: 0.1), underdamped(slow, 0.1), 2500
            ),
            // With the thermostat near a, as for SGHMC: the difference is of the order of the bias, a/2.
            ("sgnht", SGNHT(learningRate: Scheduled(slow), friction: 0.02), underdamped(slow, 0.02), 2500),
        ]
    }()

    @Test(arguments: cases.indices)
    func meanAndCovariance(_ index: Int) throws {
        try check(index, Float.self)
        try check(index, Double.self)
    }

    private func check<S: EquationScalar>(_ index: Int, _: S.Type) throws {
        let c = Self.cases[index]
        let pairs = c.name == "psgld" ? 2000 : 5000
        let tensors = Tensors<S>(sizes: [2 * pairs]) { _, i in i % 2 == 0 ? 1 : -1 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: PerturbedEquation(rule: c.rule), seed: 61,
            engine: Engine(parallel: .serial))
        let p = Self.p.map { $0.map { S($0) } }
        // Two independent halves of the tensor, so that a pair's elements lie far apart.
        for _ in 0..<c.steps {
            let theta = tensors[0]
            tensors.setGradient { _, i, own in
                i < pairs
                    ? p[0][0] * own + p[0][1] * theta[i + pairs] : p[1][1] * own + p[1][0] * theta[i - pairs]
            }
            try optimizer.step(tensors.buffers)
        }
        let theory = c.theory.stationary
        let x = tensors[0][..<pairs].map { Double($0) }
        let y = tensors[0][pairs...].map { Double($0) }
        for (i, values) in [x, y].enumerated() {
            let (mean, variance) = meanAndVariance(values)
            #expect(abs(mean) < 5 * (variance / Double(pairs)).squareRoot(), "\(c.name): mean \(mean)")
            #expect(abs(theory[i][i] / Self.covariance[i][i] - 1) < 0.02, "\(c.name)")
        }
        // pSGLD's G settles to a few parts in a hundred, and its Γ is missing.
        let slack = c.name == "psgld" ? 0.03 : c.name == "sgnht" ? 0.01 : 0
        for (i, j, a, b) in [(0, 0, x, x), (0, 1, x, y), (1, 1, y, y)] {
            let (measured, square) = meanAndVariance(zip(a, b).map { $0 * $1 })
            let error = (square / Double(pairs)).squareRoot()
            #expect(
                abs(measured - theory[i][j]) < 5 * error + slack * abs(theory[i][j]),
                "\(c.name) \(i)\(j): \(measured) ± \(error), theory \(theory[i][j])")
        }
    }

    /// A single chain, averaged over time; standard errors from the means of batches much longer than the
    /// autocorrelation time.
    @Test(arguments: [0, 2])
    func oneChain(_ index: Int) throws {
        let c = Self.cases[index]
        let (batches, length) = (100, 3000)
        var theta = [0.0, 0.0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [2], scalar: .float64)],
            equation: PerturbedEquation(rule: c.rule), seed: 62)
        func step() throws {
            let p = Self.p
            try optimizer.step(
                &theta,
                gradient: [
                    p[0][0] * theta[0] + p[0][1] * theta[1], p[1][0] * theta[0] + p[1][1] * theta[1],
                ])
        }
        for _ in 0..<2000 { try step() }
        var means: [[Double]] = []
        for _ in 0..<batches {
            var sums = [0.0, 0, 0, 0, 0]
            for _ in 0..<length {
                try step()
                let (x, y) = (theta[0], theta[1])
                for (i, value) in [x, y, x * x, x * y, y * y].enumerated() { sums[i] += value }
            }
            means.append(sums.map { $0 / Double(length) })
        }
        let theory = c.theory.stationary
        let expected = [0, 0, theory[0][0], theory[0][1], theory[1][1]]
        for (i, value) in expected.enumerated() {
            let (mean, variance) = meanAndVariance(means.map { $0[i] })
            let error = (variance / Double(batches - 1)).squareRoot()
            #expect(abs(mean - value) < 5 * error, "\(c.name), \(i): \(mean) ± \(error), theory \(value)")
            #expect(error < 0.1)
        }
    }
}
