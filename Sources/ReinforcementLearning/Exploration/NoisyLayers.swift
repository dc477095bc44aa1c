import PerturbedEquations
import Torch
import TorchNN

/// Every layer is a `NoisyLinear`: the weights are noisy, and the agent learns by how much.
///
/// The noise is drawn anew at each step that the agent acts in, or each episode of the first copy; and for each batch that it
/// learns from, once for every network and use. The policy without exploration uses the means.
///
/// Source: Fortunato et al. 2018, Noisy Networks for Exploration.
public struct NoisyLayers: Exploration {
    /// σ₀ of the layers, ≥ 0, default 0.5.
    public var sigma: Double
    /// Whether the noise that the agent acts with stays for an episode of the first copy; default false: for a step, as in the
    /// paper's DQN.
    public var perEpisode: Bool

    public init(sigma: Double = 0.5, perEpisode: Bool = false) {
        self.sigma = sigma
        self.perEpisode = perEpisode
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = NoisyLayers()
        self.init(
            sigma: try container.decode(.sigma, default: d.sigma),
            perEpisode: try container.decode(.perEpisode, default: d.perEpisode))
    }

    public func validate() throws {
        try require(sigma >= 0 && sigma.isFinite, "sigma", is: sigma, allowed: "a finite number ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "noisyLayers", summary: "Layers whose weights are noisy, by as much as they learn to be.",
        equation: "y = (M + S ⊙ E)x + m + s ⊙ e in every layer; S and s learnt",
        parameters: [
            .init("sigma", "number", default: "0.5", allowed: "≥ 0", "σ₀; S and s begin at σ₀/√inputs"),
            .init(
                "perEpisode", "boolean", default: "false", allowed: "true, false",
                "whether the noise that acts stays for an episode of the first copy"),
        ],
        source: "Fortunato et al. 2018, Noisy Networks for Exploration")

    /// A layer of a perceptron.
    func layer(_ place: Perceptron.Place) throws -> any Module {
        try NoisyLinear(place.inputs, place.outputs, sigma: sigma, seed: place.seed)
    }
}
