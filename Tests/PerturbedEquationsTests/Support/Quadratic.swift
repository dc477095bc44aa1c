import Foundation
import PerturbedEquations

/// L = ½hθ² in many independent dimensions: what a perturbed rule does to it is known exactly.
struct Quadratic {
    var h = 1.0
    var dimensions = 200_000
    var start = 0.0

    /// E[θ] and E[θ²] over the dimensions, with their standard errors.
    struct Measured {
        let mean: Double
        let meanError: Double
        let square: Double
        let squareError: Double

        init(_ theta: some Collection<Double>) {
            let n = Double(theta.count)
            let second = theta.reduce(0) { $0 + $1 * $1 } / n
            let fourth = theta.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n
            mean = theta.reduce(0, +) / n
            meanError = (max(second - mean * mean, 0) / n).squareRoot()
            square = second
            squareError = (max(fourth - second * second, 0) / n).squareRoot()
        }

        /// How far this is from theory, in standard errors; where those vanish, in millionths.
        func deviations(mean: Double, square: Double) -> (mean: Double, square: Double) {
            (
                (self.mean - mean) / max(meanError, 1e-6 * abs(mean) + 1e-12),
                (self.square - square) / max(squareError, 1e-6 * square + 1e-12)
            )
        }
    }

    func run<S: EquationScalar>(
        _ equation: PerturbedEquation, steps: Int, seed: UInt64, as _: S.Type
    ) throws -> Measured {
        let tensors = Tensors<S>(sizes: [dimensions]) { _, _ in S(start) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: equation, seed: seed, engine: Engine(parallel: .serial))
        let h = S(h)
        for _ in 0..<steps {
            tensors.setGradient { _, _, theta in h * theta }
            try optimizer.step(tensors.buffers)
        }
        return Measured(tensors[0].map(Double.init))
    }
}

/// A rule that is linear in ĝ, on the quadratic: x = (θ, b), x ← A·x + B·noise.
struct LinearDynamics {
    /// Rows of A.
    var a: (SIMD2<Double>, SIMD2<Double>)
    var b: SIMD2<Double>

    /// θ ← θ − η(hθ + λθ)
    static func sgd(rate: Double, h: Double, decay: Double = 0) -> Self {
        Self(a: ([1 - rate * (h + decay), 0], [0, 0]), b: [-rate, 0])
    }

    /// b ← μb + ĝ; θ ← θ − ηb
    static func momentum(rate: Double, _ mu: Double, h: Double, decay: Double = 0) -> Self {
        Self(a: ([1 - rate * (h + decay), -rate * mu], [h + decay, mu]), b: [-rate, 1])
    }

    /// b ← μb + ĝ; θ ← θ − η(ĝ + μb), the new b: θ ← θ − η((1 + μ)ĝ + μ²b).
    static func nesterov(rate: Double, _ mu: Double, h: Double, decay: Double = 0) -> Self {
        Self(
            a: ([1 - rate * (1 + mu) * (h + decay), -rate * mu * mu], [h + decay, mu]),
            b: [-rate * (1 + mu), 1])
    }

    /// m ← βm + (1−β)ĝ; θ ← (1 − decay)θ − κm: Adam once v has settled at S, κ = η/√S.
    static func averaged(rate: Double, _ beta: Double, h: Double, decay: Double = 0) -> Self {
        Self(
            a: ([1 - decay - rate * (1 - beta) * h, -rate * beta], [(1 - beta) * h, beta]),
            b: [-rate * (1 - beta), 1 - beta])
    }

    /// E[θ] and E[θ²] after `steps` steps from θ = start, b = 0, where the noise of a step has mean 0 and
    /// variance `additive + proportional·E[θ²]`: P ← A·P·Aᵀ + that·B·Bᵀ.
    func moments(
        steps: Int, start: Double = 0, additive: Double = 0, proportional: Double = 0
    ) -> (mean: Double, square: Double) {
        var x: SIMD2<Double> = [start, 0]
        var (p00, p01, p11) = (start * start, 0.0, 0.0)
        for _ in 0..<steps {
            let variance = additive + proportional * p00
            x = [(a.0 * x).sum(), (a.1 * x).sum()]
            func quadratic(_ u: SIMD2<Double>, _ v: SIMD2<Double>) -> Double {
                u[0] * v[0] * p00 + (u[0] * v[1] + u[1] * v[0]) * p01 + u[1] * v[1] * p11
            }
            (p00, p01, p11) = (
                quadratic(a.0, a.0) + variance * b[0] * b[0], quadratic(a.0, a.1) + variance * b[0] * b[1],
                quadratic(a.1, a.1) + variance * b[1] * b[1]
            )
        }
        return (x[0], p00)
    }
}
