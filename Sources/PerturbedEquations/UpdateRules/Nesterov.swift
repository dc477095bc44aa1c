/// SGD with Nesterov momentum, 0.9 unless told: b ← μb + ĝ; θ ← θ − η(ĝ + μb).
///
/// Source: Nesterov 1983, in the form of Sutskever et al. 2013, On the Importance of Initialization and Momentum.
public struct Nesterov: MomentumRule {
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

    static let nesterov = true

    public static let catalogueEntry = CatalogueEntry(
        name: "nesterov", summary: "SGD with Nesterov momentum.", equation: "b ← μb + ĝ; θ ← θ − η(ĝ + μb)",
        parameters: parameters,
        source: "Nesterov 1983, as in Sutskever et al. 2013")
}
