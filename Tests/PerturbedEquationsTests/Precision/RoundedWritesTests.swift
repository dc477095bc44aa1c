import PerturbedEquations
import Testing

/// A step that writes bfloat16 parameters many times rounds each of them by noise of its own.
@Suite struct RoundedWritesTests {
    /// Writes the same number into every element, again and again.
    struct Rewrite: ParameterPerturbation {
        let times: Int

        func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
            var loss = 0.0
            for _ in 0..<times {
                pass.perturb(Halfway())
                loss = try pass.evaluate()
            }
            return ObjectiveGradient(loss: loss)
        }

        init(times: Int) { self.times = times }
        init(from decoder: any Decoder) throws { throw ConfigurationError("is a test's") }
        func encode(to encoder: any Encoder) throws { throw ConfigurationError("is a test's") }
    }

    /// θ̃ ← 1 + 1/256, half way between two bfloat16.
    struct Halfway: BlockWork {
        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.parameters.update(repeating: 1 + 1 / 256)
            return .zero
        }
    }

    @Test func noTwoWritesRoundAlike() throws {
        let count = 500
        let halves = BFloat16Tensors(sizes: [count]) { _, _ in 1 }
        let optimizer = try PerturbedOptimizer(
            parameters: halves.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0), parameterPerturbation: Rewrite(times: 40)), seed: 2)
        var seen: [[[UInt16]]] = []
        try optimizer.step(halves.buffers) { _ in
            seen.append(halves.bits)
            halves.setGradient { _, _, _ in 0 }
            return 0
        }
        #expect(seen.count == 40 && Set(seen).count == 40)
        // Each of them is a fair coin, and any two are independent: 4.5 standard errors.
        let up = seen.map { $0[0].map { $0 == 0x3f81 } }
        for bits in up { #expect(abs(bits.count { $0 } - count / 2) < 51) }
        for (one, other) in zip(up, up.dropFirst(15)) {
            #expect(abs(zip(one, other).count { $0 == $1 } - count / 2) < 51)
        }
    }
}
