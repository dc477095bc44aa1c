import CPerturbationKernels

/// Positive-negative momentum: the difference of two momenta amplifies the gradient's own noise.
///
/// ```
/// mₙ = β₁²·mₙ₋₂ + (1 − β₁²)·ĝ                  odd and even updates have an average each
/// θ ← θ − η/√((1+β₀)² + β₀²)·((1 + β₀)·mₙ − β₀·mₙ₋₁)
/// ```
///
/// The two averages hold different gradients, so that of independent noise of variance σ² per gradient the step
/// has η²σ²(1−β₁²)/(1+β₁²), whatever β₀ is, while a constant gradient moves θ by only ηg/√((1+β₀)² + β₀²):
/// relative to the signal the noise's variance is (1+β₀)² + β₀² times as large, 5 for β₀ = 1. No noise need be
/// drawn; a perturbation is amplified the same way.
///
/// λ is decoupled unless told: θ ← (1 − ηλ)θ first.
///
/// Source: Xie, Yuan, Zhu and Sugiyama 2021, Positive-Negative Momentum: Manipulating Stochastic Gradient Noise
/// to Improve Generalization; settings and the first updates as in the authors' code (β₀ is its last beta).
public struct PNM: KernelRule {
    /// η.
    public var learningRate: Scheduled
    /// β₁, the momenta's memory per update.
    public var beta1: Scheduled
    /// β₀, how much of the negative momentum is taken; ≥ 0. 0 is momentum of every second gradient.
    public var beta0: Scheduled
    /// λ.
    public var weightDecay: Scheduled
    /// Whether λ is taken off θ directly as ηλθ, or added to the gradient.
    public var decoupled: Bool

    public init(
        learningRate: Scheduled, beta1: Scheduled = 0.9, beta0: Scheduled = 1, weightDecay: Scheduled = 0,
        decoupled: Bool = true
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta0 = beta0
        self.weightDecay = weightDecay
        self.decoupled = decoupled
    }

    public var stateNames: [String] { ["pos_momentum", "neg_momentum"] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&beta1)
        try body(&beta0)
        try body(&weightDecay)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.notNegative("beta0", beta0)
        try RuleChecks.decay(weightDecay)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "pnm", summary: "Positive-negative momentum: amplifies the gradient's own noise.",
        equation: "mₙ = β₁²mₙ₋₂ + (1−β₁²)ĝ; θ ← θ − η/√((1+β₀)²+β₀²)·((1+β₀)mₙ − β₀mₙ₋₁)",
        parameters: [
            .learningRate, .average("beta1", default: "0.9", "β₁"), .beta0,
            .weightDecay("λ, taken off θ as ηλθ; not decoupled: added to the gradient as λθ"),
            .decoupled("true"),
        ],
        source: "Xie, Yuan, Zhu and Sugiyama 2021, Positive-Negative Momentum")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            beta1: try container.decode(.beta1, default: 0.9),
            beta0: try container.decode(.beta0, default: 1),
            weightDecay: try container.decode(.weightDecay, default: 0),
            decoupled: try container.decode(.decoupled, default: true))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let step = numbers.step
        let weights = PositiveNegative(beta0: beta0.value(at: step))
        let beta1 = beta1.value(at: step)
        let rate = learningRate.value(at: step)
        let lambda = weightDecay.value(at: step)
        var rule = pk_pnm(
            rate: rate, penalty: decoupled ? 0 : lambda, decay: decoupled ? rate * lambda : 0,
            beta: beta1 * beta1, positive: weights.positive, negative: weights.negative)
        withUnsafePointer(to: PositiveNegative.inTurn(block, numbers.time)) {
            kernels.pointee.pnm($0, &rule)
        }
    }
}

/// The weights of the two momenta, and whose turn it is.
struct PositiveNegative {
    let positive: Double
    let negative: Double

    /// (1 + β₀) and −β₀, over the root of the sum of their squares.
    init(beta0: Double) {
        let norm = ((1 + beta0) * (1 + beta0) + beta0 * beta0).squareRoot()
        positive = (1 + beta0) / norm
        negative = -beta0 / norm
    }

    /// The block with the average that takes this update's gradient first: the first state tensor at odd
    /// updates, the second at even ones.
    static func inTurn(_ block: borrowing pk_block, _ time: RuleTime) -> pk_block {
        var turned = copy block
        if time.update % 2 == 0 { swap(&turned.state.0, &turned.state.1) }
        return turned
    }
}

extension CatalogueEntry.Parameter {
    static let beta0 = Self(
        "beta0", "schedule", default: "1", allowed: "≥ 0", "β₀, the negative momentum's weight")
}
