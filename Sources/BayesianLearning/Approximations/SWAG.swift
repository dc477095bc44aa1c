import PerturbedEquations
import PosteriorSampling

/// SWAG: a normal distribution fitted to the path of an ordinary rule, drawn from at the end.
///
/// After the burn-in, θ after every `thin`-th step is taken into a mean, a variance of each weight, and the last `rank`
/// deviations from the mean as it was then, the columns of D̂:
///
/// ```
/// θ ~ N(θ̄, ½·diag(σ²) + ½·D̂D̂ᵀ/(rank − 1))
/// ```
///
/// Its width is that of the path: the learning rate and the noise of the batches decide it, so that a learning rate that stays large
/// after the burn-in is part of the method. Several chains are MultiSWAG, a mixture of as many normal distributions.
///
/// ```yaml
/// posterior: {swag: {rank: 20, draws: 30}}
/// sampling: {chains: 3, steps: 4000, burnIn: 2000, thin: 50, batchSize: 64}
/// rule: {momentum: {learningRate: 0.05}}
/// ```
///
/// Source: Maddox et al. 2019, A Simple Baseline for Bayesian Uncertainty in Deep Learning; Wilson and Izmailov 2020, Bayesian Deep
/// Learning and a Probabilistic Perspective of Generalization, for MultiSWAG.
public struct SWAG: PosteriorApproximation, Equatable {
    /// Columns of D̂, ≥ 2 and no more than θ is taken in; 20 unless told.
    public var rank: Int
    /// Draws of each chain's distribution, 1 … 1,000,000; 30 unless told.
    public var draws: Int

    public init(rank: Int = 20, draws: Int = 30) {
        self.rank = rank
        self.draws = draws
    }

    public func validate() throws {
        try require(
            rank >= 2, "rank", is: rank, allowed: "a whole number ≥ 2, since it is divided by rank − 1")
        try require((1...1_000_000).contains(draws), "draws", is: draws, allowed: "1 to 1000000")
    }

    public var areDrawsOfOnePosterior: Bool { false }

    public func equation(
        _ given: PerturbedEquation, for scale: MinibatchScale, _ prior: NamedPrior,
        _ schedule: SamplingSchedule
    ) throws -> PerturbedEquation {
        try given.descending(for: Self.catalogueEntry.name)
    }

    public func schedule(_ given: SamplingSchedule) throws -> SamplingSchedule {
        try given.requireNoCycle()
        try require(
            rank <= given.draws, "posterior.swag.rank", is: rank,
            allowed:
                "2 to \(given.draws), as often as θ is taken in: every \(given.thin) of \(given.steps) steps after a "
                + "burn-in of \(given.burnIn)")
        return SamplingSchedule(steps: given.steps + draws, burnIn: given.steps)
    }

    public func distribution(
        over parameters: [ParameterSpec], along schedule: SamplingSchedule
    ) -> (any WeightDistribution)? {
        SWAGMoments(parameters, along: schedule, rank: rank)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "swag", summary: "A normal distribution fitted to the path of an ordinary rule.",
        equation: "θ ~ N(θ̄, ½·diag(σ²) + ½·D̂D̂ᵀ/(rank − 1)), of θ after every thin-th step after the burn-in",
        parameters: [
            .init(
                "rank", "integer", default: "20", allowed: "2 to as often as θ is taken in",
                "columns of D̂, the last deviations from the mean"),
            .init("draws", "integer", default: "30", allowed: "1 to 1000000", "draws of each chain"),
        ],
        source:
            "Maddox et al. 2019, A Simple Baseline for Bayesian Uncertainty in Deep Learning; several chains: Wilson and "
            + "Izmailov 2020")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rank: try container.decode(.rank, default: 20), draws: try container.decode(.draws, default: 30))
    }
}
