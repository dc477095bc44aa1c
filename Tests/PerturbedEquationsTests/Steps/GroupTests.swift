import PerturbedEquations
import Testing

/// Parameters with their own rule and noise.
@Suite struct GroupTests {
    static func step(
        _ names: [String], _ equation: PerturbedEquation, _ groups: [ParameterGroup], seed: UInt64 = 3
    ) throws -> [[Double]] {
        let tensors = Tensors<Double>(sizes: names.map { _ in 40 }) { _, _ in 0 }
        tensors.setGradient { _, _, _ in 1 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(names), equation: equation, groups: groups, seed: seed)
        try optimizer.step(tensors.buffers)
        return tensors.all
    }

    /// Which parameters a pattern takes, seen by their learning rate.
    @Test(arguments: [
        ("a.weight", [true, false, false, false]), ("*.bias", [false, true, true, false]),
        ("a.*", [true, true, false, false]), ("*", [true, true, true, true]),
        ("*b*", [false, true, true, true]),
        ("a*t", [true, false, false, false]), ("**.bias", [false, true, true, false]),
        ("x*y*z", [false, false, false, true]),
        ("a.w*i*t", [true, false, false, false]), ("*.*", [true, true, true, false]),
    ])
    func patterns(pattern: String, matched: [Bool]) throws {
        let theta = try Self.step(
            ["a.weight", "a.bias", "é.bias", "xbyyz"], PerturbedEquation(rule: SGD(learningRate: 1)),
            [ParameterGroup([pattern], rule: SGD(learningRate: 2))])
        #expect(theta.map { $0[0] == -2 } == matched)
        #expect(theta.map { $0[0] == -1 } == matched.map { !$0 })
    }

    @Test func theFirstMatchWins() throws {
        let theta = try Self.step(
            ["a.bias", "a.weight", "b.bias"], PerturbedEquation(rule: SGD(learningRate: 1)),
            [
                ParameterGroup(["a.bias", "none"], rule: SGD(learningRate: 2)),
                ParameterGroup(["*.bias"], rule: SGD(learningRate: 3)),
            ])
        #expect(theta.map { $0[0] } == [-2, -1, -3])
    }

    @Test func deadGroupsAreRefused() throws {
        let equation = PerturbedEquation(rule: SGD(learningRate: 1))
        for (groups, path, word) in [
            ([ParameterGroup(["c*"])], "groups.0.parameters", "a.bias, a.weight"),
            ([ParameterGroup([])], "groups.0.parameters", "a.bias"),
            ([ParameterGroup(["*"]), ParameterGroup(["a.bias"])], "groups.1.parameters", "earlier"),
            ([ParameterGroup(["*"], rule: SGD(learningRate: -1))], "groups.0.rule.sgd.learningRate", "-1.0"),
            (
                [ParameterGroup(["*"], perturbation: [Gaussian(sigma: -1)])],
                "groups.0.perturbation.0.gaussian.sigma", "-1.0"
            ),
        ] as [([ParameterGroup], String, String)] {
            let error = try #require(throws: ConfigurationError.self) {
                try Self.step(["a.bias", "a.weight"], equation, groups)
            }
            #expect(error.path == path && error.message.contains(word), "\(error)")
        }
    }

    /// A group that says nothing of the noise has the equation's; an empty list means none. A parameter's
    /// noise has the same address in any group.
    @Test func noise() throws {
        let equation = PerturbedEquation(rule: SGD(learningRate: 1), perturbation: Gaussian(sigma: 0.5))
        let plain = try Self.step(["a", "b", "c"], equation, [])
        let grouped = try Self.step(
            ["a", "b", "c"], equation,
            [
                ParameterGroup(["a"], rule: SGD(learningRate: 2)), ParameterGroup(["b"], perturbation: []),
                ParameterGroup(["c"], perturbation: [WeightPenalty(), Gaussian(sigma: 0.5)]),
            ])
        #expect(grouped[0] == plain[0].map { 2 * $0 })
        #expect(grouped[1].allSatisfy { $0 == -1 })
        // Another place in the list is another address.
        #expect(grouped[2] != plain[2])
        #expect(plain[0] != plain[1])
    }

    @Test func parametersMustBeDistinct() {
        let equation = PerturbedEquation(rule: SGD(learningRate: 1))
        #expect(throws: ConfigurationError.self) { try Self.step(["a", "a"], equation, []) }
        #expect(throws: ConfigurationError.self) {
            try PerturbedOptimizer(
                parameters: [ParameterSpec("a", shape: [2, -1])], equation: equation, seed: 1)
        }
    }
}
