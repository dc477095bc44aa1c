import Experiments
import PerturbedEquations
import TestSupport
import Testing

/// What a step costs, counted, against what each method's paper says.
@Suite struct EquationCostTests {
    private static func cost(_ perturbation: (any ParameterPerturbation)?) throws -> EquationCost {
        try EquationCost(
            of: PerturbedEquation(rule: SGD(learningRate: 0.1), parameterPerturbation: perturbation))
    }

    @Test func stepsCostWhatTheirPapersSay() throws {
        let plain = try Self.cost(nil)
        #expect(plain.gradients == 1 && plain.losses == 0 && plain.total == 1)
        #expect(try Self.cost(SAM(rho: 0.05)).gradients == 2)
        #expect(try Self.cost(LookSAM(rho: 0.05, every: 4)).gradients == 1.25)
        #expect(try Self.cost(RandomWeights(sigma: 0.01, samples: 3)).gradients == 3)
        let zeroth = try Self.cost(MeZO(epsilon: 0.001))
        #expect(zeroth.gradients == 0 && zeroth.losses == 2)
    }
}
