import PerturbedEquations
import PosteriorSampling
import Safetensors

/// The normal distribution that a variational rule learns, N(θ, diag(s²)), drawn from at the end.
///
/// The rule (`ivon` or `bsam`) has the prior in its equation, so that the prior must be Gaussian: of deviation σ₀ it is
/// δ = 1/(Nσ₀²). N is the rule's λ. Several chains are a mixture of as many normal distributions.
///
/// ```yaml
/// posterior: {variational: {draws: 30}}
/// prior: {gaussian: {deviation: 0.3}}
/// rule: {ivon: {learningRate: {cosine: {from: 0.1, to: 0}}, beta2: 0.999}}
/// ```
///
/// Source: Shen et al. 2024, Variational Learning is Effective for Large Deep Networks; Möllenhoff and Khan 2023, SAM as an Optimal
/// Relaxation of Bayes.
public struct Variational: PosteriorApproximation, Equatable {
    /// Draws of each chain's distribution, 1 … 1,000,000; 30 unless told.
    public var draws: Int

    public init(draws: Int = 30) { self.draws = draws }

    public func validate() throws {
        try require((1...1_000_000).contains(draws), "draws", is: draws, allowed: "1 to 1000000")
    }

    public var areDrawsOfOnePosterior: Bool { false }
    public var ruleHasPrior: Bool { true }

    public var remedyOfRisingEnergy: String {
        "a smaller learningRate, a smaller beta2, with which the width is learnt sooner, or, where the first samples are too wide, a "
            + "larger initialHessian (of bsam initialPrecision)"
    }

    public func equation(
        _ given: PerturbedEquation, for scale: MinibatchScale, _ prior: NamedPrior,
        _ schedule: SamplingSchedule
    ) throws -> PerturbedEquation {
        let name = type(of: given.rule).catalogueEntry.name
        guard var rule = given.rule as? any VariationalRule else {
            let names = Catalogue.builtIn.rules.filter { $0 is any VariationalRule.Type }
                .map { $0.catalogueEntry.name }
            throw ConfigurationError(
                "is \(name), which learns no distribution; allowed with posterior: variational: "
                    + names.joined(separator: ", "), path: "rule")
        }
        guard let gaussian = prior.prior as? GaussianPrior else {
            throw ConfigurationError(
                "is \(prior.name), and the rule \(name) has its prior in its own equation, as a precision; allowed with it: "
                    + "{gaussian: {deviation: s}}", path: "prior")
        }
        try require(
            rule.effectiveSampleSize == nil, "rule.\(name).effectiveSampleSize",
            is: rule.effectiveSampleSize?.constant.map { "\($0)" } ?? "a schedule",
            allowed: "left out: the posterior has \(scale.examples) examples, and says so itself")
        try require(
            rule.weightDecay.constant == type(of: rule).standardWeightDecay, "rule.\(name).weightDecay",
            is: rule.weightDecay.constant.map { "\($0)" } ?? "a schedule",
            allowed: "left out: a Gaussian prior is said by the prior")
        rule.effectiveSampleSize = Scheduled(Double(scale.examples))
        rule.weightDecay = Scheduled(scale.priorShare / (gaussian.deviation * gaussian.deviation))
        var result = given
        result.rule = rule
        return result
    }

    public func schedule(_ given: SamplingSchedule) throws -> SamplingSchedule {
        try given.requireNoDrawsOfThePath(because: "draws are taken after a chain's last step")
        return SamplingSchedule(steps: given.steps + draws, burnIn: given.steps)
    }

    public func distribution(
        over parameters: [ParameterSpec], along schedule: SamplingSchedule
    ) -> (any WeightDistribution)? { VariationalDistribution(parameters) }

    public static let catalogueEntry = CatalogueEntry(
        name: "variational", summary: "The normal distribution that a variational rule learns: ivon, bsam.",
        equation:
            "θ̃ ~ N(θ, diag(s²)), s = 1/√(N(h + δ)) of ivon, 1/√(Ns) of bsam; δ = 1/(Nσ₀²) of the prior N(0, σ₀²)",
        parameters: [
            .init("draws", "integer", default: "30", allowed: "1 to 1000000", "draws of each chain")
        ],
        source:
            "Shen et al. 2024, Variational Learning is Effective for Large Deep Networks; Möllenhoff and Khan 2023, SAM as an "
            + "Optimal Relaxation of Bayes")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(draws: try container.decode(.draws, default: 30))
    }
}

/// N(θ, diag(s²)): θ as the path has left it, and s as the rule's state says it.
private final class VariationalDistribution: WeightDistribution {
    private let specs: [ParameterSpec]
    private let mean: WeightNumbers
    /// s, once it was asked for: the rule's state does not change any more.
    private var deviations: [[Double]]?

    init(_ specs: [ParameterSpec]) {
        self.specs = specs
        mean = WeightNumbers(specs)
    }

    func gather(_ parameters: [UnsafeMutableRawBufferPointer], after taken: Int) {}

    func close(_ parameters: [UnsafeMutableRawBufferPointer]) {
        for (number, spec) in specs.enumerated() {
            let theta = WeightMemory(spec, parameters[number])
            for i in 0..<spec.count { mean.values[number][i] = theta[i] }
        }
    }

    func draw(
        _ number: Int, of optimizer: PerturbedOptimizer, key: NoiseKey,
        into parameters: [UnsafeMutableRawBufferPointer]
    ) {
        guard let deviations = deviations ?? optimizer.posteriorDeviations else {
            preconditionFailure("the rule learns no distribution")
        }
        self.deviations = deviations
        for (place, spec) in specs.enumerated() {
            let theta = WeightMemory(spec, parameters[place])
            let xi = key.normal(spec.count, draw: number, parameter: place)
            let (mean, deviations) = (mean.values[place], deviations[place])
            for i in 0..<spec.count { theta[i] = mean[i] + deviations[i] * xi[i] }
        }
    }

    func stateSources() -> [TensorSource] { mean.sources("variational/mean") }
    func restore(from file: SafetensorsFile) throws { try mean.restore("variational/mean", from: file) }
}
