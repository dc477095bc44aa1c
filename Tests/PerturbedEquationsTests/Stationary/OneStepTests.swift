import Foundation
import PerturbedEquations
import Testing

/// δ itself, read off one SGD step with η = 1 from θ = 0: δ = −θ − g. What no average over steps can show.
@Suite struct OneStepTests {
    /// δ of each tensor, and the report.
    static func delta(
        _ terms: [any Perturbation], stability: Stability = Stability(), gradient: [[Double]],
        theta: [[Double]]? = nil, seed: UInt64 = 1
    ) throws -> (delta: [[Double]], report: StepReport) {
        let start = theta ?? gradient.map { $0.map { _ in 0 } }
        let tensors = Tensors<Double>(start)
        tensors.setGradient(gradient)
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: terms, stability: stability), seed: seed)
        let report = try optimizer.step(tensors.buffers, measure: true)
        let delta = gradient.indices.map { i in
            zip(zip(start[i], tensors[i]), gradient[i]).map { $0.0 - $0.1 - $1 }
        }
        return (delta, report)
    }

    static func norm(_ x: some Sequence<Double>) -> Double {
        x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// σ = r·‖g‖/√n of each tensor, or of all elements together.
    @Test func relativeStrengths() throws {
        let gradient = [
            (0..<90_000).map { sin(Double($0)) }, (0..<10_000).map { 20 * cos(Double($0)) },
        ]
        let rms = gradient.map { Self.norm($0) / Double($0.count).squareRoot() }
        let overall = Self.norm(gradient.joined()) / 100_000.0.squareRoot()
        let own = try Self.delta([Gaussian(sigma: .relative(0.3))], gradient: gradient)
        let common = try Self.delta([Gaussian(sigma: .relative(0.3, .all))], gradient: gradient)
        for tensor in 0..<2 {
            let n = Double(gradient[tensor].count)
            let error = (2 / n).squareRoot()
            for (delta, sigma) in [(own.delta, 0.3 * rms[tensor]), (common.delta, 0.3 * overall)] {
                let (_, variance) = meanAndVariance(delta[tensor])
                #expect(abs(variance / (sigma * sigma) - 1) < 5 * error, "tensor \(tensor)")
            }
        }
        #expect(abs(own.report.sigma! / (0.3 * rms[0]) - 1) < 1e-12)
        #expect(abs(common.report.sigma! / (0.3 * overall) - 1) < 1e-12)
        #expect(abs(own.report.gradientNorm! / Self.norm(gradient.joined()) - 1) < 1e-12)
        #expect(abs(own.report.perturbationNorm! / Self.norm(own.delta.joined()) - 1) < 1e-12)
    }

    /// ⟨δ, g⟩ = 0 per tensor; E‖δ‖² = σ²(n − 1), and σ²n where g = 0.
    @Test func orthogonal() throws {
        let n = 3
        let tensors = 20_000
        let gradient = (0..<tensors).map { t in (0..<n).map { sin(Double(t * n + $0)) } }
        let result = try Self.delta([Orthogonal(sigma: 0.7)], gradient: gradient)
        var squares: [Double] = []
        for (delta, g) in zip(result.delta, gradient) {
            let inner = zip(delta, g).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(inner) < 1e-12 * Self.norm(delta) * Self.norm(g) + 1e-14)
            squares.append(delta.reduce(0) { $0 + $1 * $1 })
        }
        // ‖δ‖²/σ² is χ² with n − 1 degrees of freedom.
        let (mean, _) = meanAndVariance(squares)
        let error = 0.49 * (2 * Double(n - 1) / Double(tensors)).squareRoot()
        #expect(abs(mean - 0.49 * Double(n - 1)) < 5 * error, "\(mean)")

        let still = try Self.delta(
            [Orthogonal(sigma: 0.7)], gradient: [[Double](repeating: 0, count: 50_000)])
        let plain = try Self.delta([Gaussian(sigma: 0.7)], gradient: [[Double](repeating: 0, count: 50_000)])
        #expect(still.delta == plain.delta)
    }

    /// In float32, over many blocks, the projection must still be exact to rounding.
    @Test func orthogonalOverManyBlocks() throws {
        let n = 100_000
        let tensors = Tensors<Float>(sizes: [n]) { _, _ in 0 }
        tensors.setGradient { _, i, _ in 1 + Float(sin(Double(i))) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: Orthogonal(sigma: 5)), seed: 4)
        try optimizer.step(tensors.buffers)
        var (inner, size, noise) = (0.0, 0.0, 0.0)
        for (i, theta) in tensors[0].enumerated() {
            let g = Double(1 + Float(sin(Double(i))))
            inner += (-Double(theta) - g) * g
            size += g * g
            noise += (Double(theta) + g) * (Double(theta) + g)
        }
        // The plain noise would have |inner| of about σ‖g‖ = √(noise/n·size).
        #expect(abs(inner) < 1e-4 * (noise / Double(n) * size).squareRoot(), "\(inner)")
        #expect(abs(noise / Double(n) / 25 - 1) < 5 * (2 / Double(n)).squareRoot())
    }

    /// λ₁·sign(θ) + λ₂·θ, with sign(0) = 0.
    @Test func weightPenalty() throws {
        let theta = [[3, -2, 0, -0.0, 1e-300]]
        let result = try Self.delta(
            [WeightPenalty(l1: 0.5, l2: 0.25)], gradient: [[0, 0, 0, 0, 0]], theta: theta)
        #expect(result.delta == [[1.25, -1, 0, 0, 0.5]])
    }

    /// α·f(g) for each named f and for a closure.
    @Test func adaptive() throws {
        let g = [-4.0, -0.25, 0, 0.25, 4]
        let rms = Self.norm(g) / 5.0.squareRoot()
        let cases: [(Adaptive.Function, (Double) -> Double)] = [
            (.identity, { $0 }), (.sign, { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }), (.tanh, { Foundation.tanh($0) }),
            (.square, { $0 * abs($0) }), (.root, { $0 < 0 ? -(-$0).squareRoot() : $0.squareRoot() }),
            (.normalised, { $0 / rms }), (.closure { $0 / (1 + abs($0)) }, { $0 / (1 + abs($0)) }),
        ]
        for (function, f) in cases {
            let result = try Self.delta([Adaptive(alpha: -0.5, function)], gradient: [g])
            for (delta, value) in zip(result.delta[0], g) {
                #expect(abs(delta + 0.5 * f(value)) < 1e-14, "\(function) of \(value)")
            }
        }
        let zero = try Self.delta([Adaptive(alpha: 1, .normalised)], gradient: [[0, 0]])
        #expect(zero.delta == [[0, 0]])
    }

    /// A subnormal gradient normalises to RMS 1, not to infinity.
    @Test func normalisingATinyGradient() throws {
        var theta: [Float] = [0, 0, 0, 0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [4])],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: Adaptive(alpha: 1, .normalised)), seed: 1)
        let tiny = Float.leastNonzeroMagnitude * 700
        try optimizer.step(&theta, gradient: [tiny, -tiny, tiny, -tiny])
        #expect(theta.map { abs($0) } == [1, 1, 1, 1])
    }

    /// Each element of g + δ is 0 or g/(1 − p), in these proportions.
    @Test func dropNoise() throws {
        let n = 200_000
        let p = 0.3
        let gradient = (0..<n).map { 1 + sin(Double($0)) / 2 }
        let result = try Self.delta([DropNoise(probability: Scheduled(p))], gradient: [gradient])
        var dropped = 0
        for (delta, g) in zip(result.delta[0], gradient) {
            if abs(g + delta) < 1e-12 {
                dropped += 1
            } else {
                #expect(abs((g + delta) * (1 - p) / g - 1) < 1e-6)
            }
        }
        #expect(abs(Double(dropped) - p * Double(n)) < 5 * (p * (1 - p) * Double(n)).squareRoot())
    }

    /// The noise that the step adds is the stream's at (derived key, step, parameter, term, element).
    @Test func addressOfTheNoise() throws {
        let key = NoiseKey(seed: 31).derived("perturbation")
        let tensors = Tensors<Double>(sizes: [5, 9000]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: WeightPenalty(), Gaussian(sigma: 0.5)), seed: 31)
        for step in 0..<3 {
            tensors[0] = [Double](repeating: 0, count: 5)
            tensors[1] = [Double](repeating: 0, count: 9000)
            try optimizer.step(tensors.buffers)
            for parameter in 0..<2 {
                let xi: [Double] = NoiseStream(key: key, step: step, parameter: parameter, term: 1).values(
                    tensors.sizes[parameter], .normal)
                #expect(tensors[parameter] == xi.map { -$0 * 0.5 })
            }
        }
    }
}
