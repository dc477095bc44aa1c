import Foundation

/// Neelakantan's annealed gradient noise, as a standard deviation: σ(t) = √(η/(1 + t)^γ).
///
/// The paper states the variance, σ² = η/(1 + t)^γ, with η in {0.01, 0.3, 1.0} and γ = 0.55.
public struct AnnealedGradientNoiseSchedule: Schedule, Hashable {
    /// η, the variance at step 0 (gradient units, squared).
    public var eta: Double
    /// γ.
    public var gamma: Double

    public init(eta: Double, gamma: Double = 0.55) {
        self.eta = eta
        self.gamma = gamma
    }

    public func value(at step: Int) -> Double {
        sqrt(eta / pow(1 + Double(step), gamma))
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "annealedGradientNoise",
        summary: "The standard deviation of Neelakantan's annealed gradient noise.",
        equation: "σ(t) = √(η/(1 + t)^γ)",
        parameters: [
            .init("eta", "number", allowed: "≥ 0", unit: "gradient units², a variance", "η"),
            .init("gamma", "number", default: "0.55", allowed: "≥ 0", "γ"),
        ],
        source: "Neelakantan et al. 2015, Adding Gradient Noise Improves Learning for Very Deep Networks")

    public func validate() throws {
        try require(eta >= 0 && eta.isFinite, "eta", is: eta, allowed: "a finite variance ≥ 0")
        try require(gamma >= 0 && gamma.isFinite, "gamma", is: gamma, allowed: "a finite number ≥ 0")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            eta: try container.decode(Double.self, forKey: .eta),
            gamma: try container.decode(.gamma, default: 0.55))
    }
}
