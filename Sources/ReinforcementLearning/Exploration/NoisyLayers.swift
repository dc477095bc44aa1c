import PerturbedEquations
import Torch
import TorchNN

/// Every layer is a `NoisyLinear`: the weights are noisy, and the agent learns by how much.
///
/// The noise is drawn anew at each step that the agent acts in, and for each batch that it learns from, once for every network
/// and use. The policy without exploration uses the means.
///
/// Source: Fortunato et al. 2018, Noisy Networks for Exploration.
public struct NoisyLayers: Exploration {
    /// σ₀ of the layers, ≥ 0, default 0.5.
    public var sigma: Double

    public init(sigma: Double = 0.5) {
        self.sigma = sigma
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(sigma: try container.decode(.sigma, default: NoisyLayers().sigma))
    }

    public func validate() throws {
        try require(sigma >= 0 && sigma.isFinite, "sigma", is: sigma, allowed: "a finite number ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "noisyLayers", summary: "Layers whose weights are noisy, by as much as they learn to be.",
        equation: "y = (M + S ⊙ E)x + m + s ⊙ e in every layer; S and s learnt",
        parameters: [
            .init("sigma", "number", default: "0.5", allowed: "≥ 0", "σ₀; S and s begin at σ₀/√inputs")
        ],
        source: "Fortunato et al. 2018, Noisy Networks for Exploration")

    /// A layer of a perceptron.
    func layer(_ place: Perceptron.Place) throws -> any Module {
        try NoisyLinear(place.inputs, place.outputs, sigma: sigma, seed: place.seed)
    }
}
