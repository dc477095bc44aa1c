import PerturbedEquations
import PosteriorSampling

/// How a posterior is approximated: which rule moves the chains, and where their draws come from.
///
/// Whatever it is, a run leaves draws of θ in the same files. One file each; ``PosteriorCatalogue`` lists them.
///
/// ```yaml
/// posterior: {swag: {rank: 20, draws: 30}}     # chains unless told
/// ```
public protocol PosteriorApproximation: Catalogued {
    /// Whether the draws of a chain follow each other along its path and all chains look for the same distribution, so that R̂
    /// and effective sizes say how far they can be trusted.
    var areDrawsOfOnePosterior: Bool { get }

    /// Whether the rule has the prior in itself; else, as it is unless told, its gradient is added to that of the losses.
    var ruleHasPrior: Bool { get }

    /// What may help where U of the draws is above what it was where chains began: `a smaller learningRate`, unless told.
    var remedyOfRisingEnergy: String { get }

    /// The equation that moves a chain.
    ///
    /// - Throws: `ConfigurationError` where the rule or the prior does not go with it, or says what the posterior decides.
    func equation(
        _ given: PerturbedEquation, for scale: MinibatchScale, _ prior: NamedPrior,
        _ schedule: SamplingSchedule
    ) throws -> PerturbedEquation

    /// When there are draws: after which steps of a chain, or of those beyond its end that draw from what it has gathered.
    ///
    /// - Throws: `ConfigurationError` for a schedule that it cannot use.
    func schedule(_ given: SamplingSchedule) throws -> SamplingSchedule

    /// What a chain gathers along its path, to draw from after its end; nil, unless told: draws are of the path itself.
    func distribution(
        over parameters: [ParameterSpec], along schedule: SamplingSchedule
    ) -> (any WeightDistribution)?
}

extension PosteriorApproximation {
    public var ruleHasPrior: Bool { false }

    public var remedyOfRisingEnergy: String { "a smaller learningRate" }

    public func distribution(
        over parameters: [ParameterSpec], along schedule: SamplingSchedule
    ) -> (any WeightDistribution)? { nil }
}

/// The approximations that a configuration can name.
///
/// To add one: its own file, and a line here.
public enum PosteriorCatalogue {
    public static let all: [any PosteriorApproximation.Type] = [
        MarkovChains.self,
        DeepEnsemble.self,
        SWAG.self,
        Variational.self,
    ]
}

/// An approximation as it is written: `{swag: {rank: 20}}`, or `ensemble`.
public struct NamedPosterior: Sendable, Codable {
    public var approximation: any PosteriorApproximation

    public init(_ approximation: any PosteriorApproximation) { self.approximation = approximation }

    /// The name in the catalogue.
    public var name: String { type(of: approximation).catalogueEntry.name }

    public init(from decoder: any Decoder) throws {
        approximation = try decodeNamed(
            decoder, kind: "posterior", among: PosteriorCatalogue.all, as: (any PosteriorApproximation).self)
    }

    public func encode(to encoder: any Encoder) throws { try encodeNamed(approximation, to: encoder) }
}

extension SamplingSchedule {
    /// Refuses what only draws along a path have, for a posterior that has none there.
    ///
    /// - Parameter reason: why, in words.
    func requireNoDrawsOfThePath(because reason: String) throws {
        let allowed = "left out: \(reason)"
        try require(burnIn == steps / 2, "sampling.burnIn", is: burnIn, allowed: allowed)
        try require(thin == 1, "sampling.thin", is: thin, allowed: allowed)
        try requireNoCycle()
    }

    /// Refuses a cycle where the rule does not sample.
    func requireNoCycle() throws {
        guard cycle != nil else { return }
        throw ConfigurationError(
            "is given, and the rule does not sample; allowed: left out, and a schedule of the rule's learningRate",
            path: "sampling.cycle")
    }
}
