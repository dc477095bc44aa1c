import PerturbedEquations
import Testing

@Suite struct MeZOTests {
    /// On a linear function p = ⟨c, z⟩ exactly, so that g = ⟨c, z⟩z: E[g] = c, E‖g − c‖² = (n + 1)‖c‖².
    @Test func isUnbiasedOnALinearFunction() throws {
        let coefficients = (0..<24).map { Double($0 % 5) - 1.5 }
        let steps = 20_000
        let tensors = Tensors<Double>([[Double](repeating: 0, count: 24)])
        tensors.hasGradient[0] = false
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(1 / Double(steps))), parameterPerturbation: MeZO()),
            seed: 11, engine: Engine(parallel: .serial))
        for _ in 0..<steps {
            let report = try optimizer.step(tensors.buffers) { evaluation in
                #expect(!evaluation.needsGradient)
                return dot(coefficients, tensors[0])
            }
            #expect(report.evaluations == EvaluationCounts(losses: 2))
        }
        // θ = −mean(g), since the gradient does not depend on θ.
        let mean = tensors[0].map { -$0 }
        let square = dot(coefficients, coefficients)
        for (i, c) in coefficients.enumerated() {
            let error = ((square + c * c) / Double(steps)).squareRoot()
            #expect(abs(mean[i] - c) < 4.5 * error, "element \(i): \(mean[i]), not \(c)")
        }
        #expect(norm(sum(mean, -1, coefficients)) > 0)
    }

    /// No gradient buffer, no temporary; one copy of θ where it is exact and nothing where it is not.
    @Test(arguments: [true, false]) func memory(exact: Bool) throws {
        let count = 300_000
        let tensors = Tensors<Float>(sizes: [count]) { _, i in Float(i % 100) / 50 - 1 }
        tensors.hasGradient[0] = false
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Adam(learningRate: 0), parameterPerturbation: MeZO(exact: exact),
                stability: Stability(clipGlobalNorm: 1)), seed: 1)
        let before = tensors.bits
        let start = tensors[0]
        for _ in 0..<5 {
            let report = try optimizer.step(tensors.buffers, measure: true) { _ in
                Double(tensors[0].prefix(9).reduce(0, +))
            }
            #expect(report.gradientNorm! <= 1.000001 && report.gradientNorm! > 0)
        }
        #expect(optimizer.objectiveBytes == (exact ? count * 4 : 0))
        if exact {
            #expect(tensors.bits == before)
        } else {
            // One unit in the last place of what θ ± εz can be, each time.
            let drift = zip(tensors[0], start).map { abs($0 - $1) }.max()!
            #expect(drift > 0 && drift < 5 * 2 * 1.3e-7, "\(drift)")
        }
    }

    /// Without a copy θ comes back up to rounding, also when the objective throws.
    @Test func throwingWithoutACopy() throws {
        struct Failure: Error {}
        for call in 0..<2 {
            let bowl = try Bowl<Double>(
                PerturbedEquation(rule: Adam(), parameterPerturbation: MeZO(epsilon: 0.1, exact: false)))
            let start = bowl.flat
            bowl.before = { if $0.number == call { throw Failure() } }
            #expect(throws: Failure.self) { try bowl.step() }
            #expect(distance(bowl.flat, start) < 1e-15)
            #expect(bowl.optimizer.step == 0)
        }
    }

    /// It trains: on the bowl the loss falls to a small part.
    @Test(arguments: [true, false]) func trains(exact: Bool) throws {
        let bowl = try Bowl<Float>(
            PerturbedEquation(
                rule: Adam(learningRate: 0.03), parameterPerturbation: MeZO(epsilon: 1e-3, exact: exact)))
        let before = bowl.loss(gradients: false)
        for _ in 0..<1500 { try bowl.step() }
        #expect(bowl.loss(gradients: false) < before / 10)
    }

    @Test func bfloat16NeedsTheCopy() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try PerturbedOptimizer(
                parameters: [ParameterSpec("w", shape: [4], scalar: .bfloat16)],
                equation: PerturbedEquation(rule: Adam(), parameterPerturbation: MeZO(exact: false)), seed: 1)
        }
        #expect(error?.path == "parameterPerturbation.mezo.exact")
    }
}
