import CPerturbationKernels
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// The functions of the gradient: against their definitions, and the same bits at every SIMD level.
@Suite struct AdaptiveTests {
    static func values<S: EquationScalar>(
        _ function: pk_function, of x: [S], _ level: SIMDLevel
    ) -> [S] {
        var output = [S](repeating: 0, count: x.count)
        var term = pk_term()
        term.kind = PK_FUNCTION
        term.scale = 1
        term.input_scale = 1
        term.function = function
        S.kernels(level).pointee.add_terms(&term, 1, &output, x, x, x.count, 1, nil)
        return output
    }

    /// Numbers of every size at which tanh is neither x nor 1, and some at which it is.
    static func numbers<S: EquationScalar>(_: S.Type) -> (numbers: [S], seed: UInt64) {
        var random = SeededGenerator()
        let drawn = (0..<20_000).map { i in
            S(Double.random(in: -1...1, using: &random) * pow(2, Double(i % 40 - 35)))
        }
        let special: [S] = [
            0, -0.0, 9, -9.4, 12, 25, -40, .leastNonzeroMagnitude, -.leastNormalMagnitude, .infinity,
            -.infinity,
        ]
        return (drawn + special, random.seed)
    }

    func check<S: EquationScalar>(_: S.Type) {
        let (numbers, seed) = Self.numbers(S.self)
        let cases: [(function: pk_function, ulps: S, exact: (S) -> S)] = [
            (PK_TANH, 3, { S(tanh(Double($0))) }), (PK_SQUARE, 0, { $0 * abs($0) }),
            (PK_ROOT, 0, { $0 < 0 ? -(-$0).squareRoot() : $0.squareRoot() }),
        ]
        for (function, ulps, exact) in cases {
            let reference = Self.values(function, of: numbers, .baseline)
            for (value, x) in zip(reference, numbers) {
                let expected = exact(x)
                #expect(
                    value == expected || abs(value - expected) <= ulps * expected.ulp,
                    "\(function) of \(x) is \(value), seed \(seed)")
            }
            for level in SIMDLevel.supported {
                #expect(Self.values(function, of: numbers, level) == reference, "\(function), \(level)")
            }
            #expect(Self.values(function, of: [S.nan], .highest)[0].isNaN)
        }
    }

    @Test func float32() { check(Float.self) }
    @Test func float64() { check(Double.self) }

    /// g/RMS(g), also where 1/RMS is beyond float32 or loses its bits there.
    @Test(arguments: [1e-44, 1e-39, 1e-38, 1e-3, 1, 1e18, 1e37] as [Double], [1, 10] as [Double])
    func normalised(_ size: Double, weight: Double) throws {
        let tensors = Tensors<Float>([[Float](repeating: 0, count: 100)])
        tensors.setGradient { _, i, _ in i % 2 == 0 ? Float(size) : -3 * Float(size) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1),
                perturbation: Mixture([.init(Adaptive(alpha: 2, .normalised), weight: Scheduled(weight))])),
            seed: 1)
        try optimizer.step(tensors.buffers)
        let rms = Double(5).squareRoot()
        for (i, theta) in tensors[0].enumerated() {
            let g = i % 2 == 0 ? 1.0 : -3
            let expected = -(size * g + weight * 2 * g / rms)
            #expect(abs(Double(theta) - expected) <= 0.02 * abs(expected), "\(theta) for \(g) of \(size)")
        }
    }
}
