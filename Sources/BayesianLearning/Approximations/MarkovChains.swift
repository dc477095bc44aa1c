import PerturbedEquations
import PosteriorSampling

/// Draws along the paths of chains whose rule samples: what `peo sample` does unless told.
public struct MarkovChains: PosteriorApproximation, Equatable {
    public init() {}

    private enum CodingKeys: CodingKey {}

    /// No setting; one that is given is refused.
    public init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: CodingKeys.self) }

    public var areDrawsOfOnePosterior: Bool { true }

    public func equation(
        _ given: PerturbedEquation, for scale: MinibatchScale, _ prior: NamedPrior,
        _ schedule: SamplingSchedule
    ) throws -> PerturbedEquation {
        if given.rule is any VariationalRule {
            throw ConfigurationError(
                "is \(type(of: given.rule).catalogueEntry.name), which learns a distribution and does not sample; allowed with it: "
                    + "posterior: variational", path: "rule")
        }
        return try given.sampling(scale, cycle: schedule.cycle)
    }

    public func schedule(_ given: SamplingSchedule) throws -> SamplingSchedule { given }

    public static let catalogueEntry = CatalogueEntry(
        name: "chains",
        summary: "Draws along the paths of chains whose rule samples: sgld, psgld, sghmc, sgnht.",
        equation: "θ ~ p(θ|data)^(1/T), every thin-th step after the burn-in", parameters: [],
        source: "Welling and Teh 2011, Bayesian Learning via Stochastic Gradient Langevin Dynamics")
}
