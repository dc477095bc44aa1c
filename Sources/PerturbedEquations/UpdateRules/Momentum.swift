/// SGD with momentum, 0.9 unless told: b ← μb + ĝ; θ ← θ − ηb.
///
/// Source: Polyak 1964, Some Methods of Speeding up the Convergence of Iteration Methods.
public struct Momentum: MomentumRule {
    public var learningRate: Scheduled
    /// μ, 0 < μ < 1.
    public var momentum: Scheduled
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled

    public init(learningRate: Scheduled, momentum: Scheduled = 0.9, weightDecay: Scheduled = 0) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.weightDecay = weightDecay
    }

    static let nesterov = false

    public static let catalogueEntry = CatalogueEntry(
        name: "momentum", summary: "SGD with momentum.", equation: "b ← μb + ĝ; θ ← θ − ηb",
        parameters: parameters,
        source: "Polyak 1964, Some Methods of Speeding up the Convergence of Iteration Methods")
}
