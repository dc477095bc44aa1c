import PerturbedEquations
import Testing

/// The variance that a term declares is the one that its noise has, given g.
@Suite struct ElementVarianceTests {
    static let terms: [[any Perturbation]] = [
        [Gaussian(sigma: 0.7)], [Gaussian(sigma: .relative(0.5))], [Uniform(sigma: .relative(0.3, .all))],
        [Laplace(sigma: 0.4)], [GradientScaled(alpha: 0.6)], [DropNoise(probability: 0.3)],
        [Orthogonal(sigma: 0.5)], [Orthogonal(sigma: .relative(1.5))], [WeightPenalty(l1: 0.2, l2: 0.1)],
        [Adaptive(alpha: 0.5, .tanh)],
        [Gaussian(sigma: 0.3), DropNoise(probability: 0.5), WeightPenalty(l2: 1), Orthogonal(sigma: 0.4)],
    ]

    /// The elements of each of `tensors` equal tensors.
    static let gradient = [-2.0, -0.5, 0, 1, 3]
    static let tensors = 40_000

    static func measure(
        _ terms: [any Perturbation], stability: Stability = Stability()
    ) throws -> (declared: SIMD4<Double>, variances: [Double], fourths: [Double]) {
        let sizes = [Int](repeating: gradient.count, count: tensors)
        let tensors = Tensors<Double>(sizes: sizes) { _, i in Double(i) }
        tensors.setGradient { _, i, _ in gradient[i] }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: ProbeRule(), perturbation: terms, stability: stability),
            seed: 3)
        try optimizer.step(tensors.buffers)
        let memory = try #require(optimizer.scalars.ruleMemory)
        #expect(Set(memory).count == 1)
        var variances: [Double] = []
        var fourths: [Double] = []
        for i in gradient.indices {
            let values = tensors.all.map { $0[i] }
            let (mean, variance) = meanAndVariance(values)
            variances.append(variance)
            fourths.append(
                values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) }
                    / Double(values.count))
        }
        return (memory[0], variances, fourths)
    }

    static func check(_ terms: [any Perturbation], factor: Double = 1, stability: Stability) throws {
        let (declared, variances, fourths) = try measure(terms, stability: stability)
        for (g, (variance, fourth)) in zip(gradient, zip(variances, fourths)) {
            let theory = declared[2] + declared[3] * g * g
            let error = (max(fourth - variance * variance, 0) / Double(tensors)).squareRoot() + 1e-12
            #expect(
                abs(variance - theory) < 5 * error, "\(terms) at g = \(g): \(variance), declared \(theory)")
        }
    }

    @Test(arguments: terms.indices)
    func declaredIsMeasured(_ index: Int) throws {
        try Self.check(Self.terms[index], stability: Stability())
    }

    /// The controller's limits on σ and on ‖δ‖ are in it.
    @Test(arguments: [Stability(sigmaMax: 0.2), Stability(perturbationToGradient: 0.1)])
    func boundNoise(_ stability: Stability) throws {
        try Self.check([Gaussian(sigma: 0.7)], stability: stability)
        let free = try Self.measure([Gaussian(sigma: 0.7)]).declared
        #expect(try Self.measure([Gaussian(sigma: 0.7)], stability: stability).declared[2] < free[2] / 3)
    }

    @Test func randomTermsDeclareMoreThanZero() throws {
        for terms in Self.terms {
            let declared = try Self.measure(terms).declared
            let isRandom = !(terms.count == 1 && (terms[0] is WeightPenalty || terms[0] is Adaptive))
            #expect((declared[2] != 0 || declared[3] != 0) == isRandom, "\(terms)")
        }
    }

    /// A term that does not declare its variance is refused where a rule needs it, and only there.
    @Test func anUnknownVarianceIsRefused() throws {
        func make(_ rule: any UpdateRule, groups: [ParameterGroup] = []) throws {
            _ = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [1]), ParameterSpec("q", shape: [1])],
                equation: PerturbedEquation(
                    rule: rule, perturbation: Gaussian(sigma: 1), CubedNoise(sigma: 1)),
                groups: groups, seed: 1)
        }
        try make(SGD(learningRate: 1))
        let error = #expect(throws: ConfigurationError.self) { try make(ProbeRule()) }
        #expect(error?.path == "perturbation.1.CubedNoise")
        #expect(error?.message.contains("probe") == true && error?.message.contains("allowed") == true)
        let inGroup = #expect(throws: ConfigurationError.self) {
            try make(SGD(learningRate: 1), groups: [ParameterGroup(["q"], rule: ProbeRule())])
        }
        #expect(inGroup?.path == "groups.0.perturbation.1.CubedNoise")
    }
}
