import PerturbedEquations
import PosteriorSampling

/// A deep ensemble: each chain goes to a mode of its own, and where it ends is its one draw.
///
/// Members differ in their first weights and in the order of the data. With the prior's gradient in every step, each is a maximum
/// of the posterior (MAP); no draw says how wide it is there.
///
/// ```yaml
/// posterior: ensemble
/// sampling: {chains: 5, steps: 2000, batchSize: 64}
/// rule: {adam: {learningRate: {cosine: {from: 0.01, to: 0}}}}
/// ```
///
/// Source: Lakshminarayanan, Pritzel and Blundell 2017, Simple and Scalable Predictive Uncertainty Estimation using Deep
/// Ensembles. Their adversarial examples are left out.
public struct DeepEnsemble: PosteriorApproximation, Equatable {
    public init() {}

    private enum CodingKeys: CodingKey {}

    /// No setting; one that is given is refused.
    public init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: CodingKeys.self) }

    public var areDrawsOfOnePosterior: Bool { false }

    public func equation(
        _ given: PerturbedEquation, for scale: MinibatchScale, _ prior: NamedPrior,
        _ schedule: SamplingSchedule
    ) throws -> PerturbedEquation {
        try given.descending(for: Self.catalogueEntry.name)
    }

    public func schedule(_ given: SamplingSchedule) throws -> SamplingSchedule {
        try given.requireNoDrawsOfThePath(because: "the end of a chain is its one draw")
        return SamplingSchedule(steps: given.steps, burnIn: given.steps - 1)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "ensemble", summary: "A deep ensemble: where each chain ends is its one draw, a MAP estimate.",
        equation: "θ_c = argmax p(θ|data), from weights and an order of the data of its own", parameters: [],
        source:
            "Lakshminarayanan, Pritzel and Blundell 2017, Simple and Scalable Predictive Uncertainty Estimation using "
            + "Deep Ensembles")
}
