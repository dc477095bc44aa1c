import CPerturbationKernels

/// AdaGrad: PyTorch's `Adagrad`.
///
/// ```
/// ĝ ← ĝ + λθ
/// s ← s + ĝ²                            s₀ = the initial accumulator
/// θ ← θ − ηₙ·ĝ/(√s + ε)                 ηₙ = η/(1 + (n − 1)·d), n the update
/// ```
///
/// Noise of variance σ² adds σ² to s in every update, so that the step shrinks as 1/(σ√n) even at a minimum.
///
/// Source: Duchi, Hazan and Singer 2011, Adaptive Subgradient Methods for Online Learning and Stochastic
/// Optimization.
public struct AdaGrad: KernelRule {
    /// η; 0.01 unless told.
    public var learningRate: Scheduled
    /// d, ≥ 0: how fast η falls with the updates.
    public var learningRateDecay: Scheduled
    /// ε, in gradient units.
    public var epsilon: Scheduled
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled
    /// s₀, in gradient units², ≥ 0.
    public var initialAccumulator: Double

    public init(
        learningRate: Scheduled = 0.01, learningRateDecay: Scheduled = 0, epsilon: Scheduled = 1e-10,
        weightDecay: Scheduled = 0, initialAccumulator: Double = 0
    ) {
        self.learningRate = learningRate
        self.learningRateDecay = learningRateDecay
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.initialAccumulator = initialAccumulator
    }

    public var stateNames: [String] { ["sum"] }
    public var secondMomentName: String? { "sum" }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&learningRateDecay)
        try body(&epsilon)
        try body(&weightDecay)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.notNegative("learningRateDecay", learningRateDecay)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
        try require(
            initialAccumulator >= 0 && initialAccumulator.isFinite, "initialAccumulator",
            is: initialAccumulator, allowed: "a finite number ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adaGrad", summary: "The gradient over the root of the sum of its squares so far.",
        equation: "s ← s + ĝ²; θ ← θ − η/(1 + (n−1)d)·ĝ/(√s + ε)",
        parameters: [
            .learningRate(default: "0.01"),
            .init(
                "learningRateDecay", "schedule", default: "0", allowed: "≥ 0", unit: "per update",
                "d: how fast η falls"),
            .epsilon("1e-10"), .weightDecay("λ, added to the gradient as λθ"),
            .init(
                "initialAccumulator", "number", default: "0", allowed: "≥ 0", unit: "gradient units²",
                "s before the first update"),
        ],
        source: "Duchi, Hazan and Singer 2011, Adaptive Subgradient Methods for Online Learning and "
            + "Stochastic Optimization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 0.01),
            learningRateDecay: try container.decode(.learningRateDecay, default: 0),
            epsilon: try container.decode(.epsilon, default: 1e-10),
            weightDecay: try container.decode(.weightDecay, default: 0),
            initialAccumulator: try container.decode(.initialAccumulator, default: 0))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let (step, update) = (numbers.step, numbers.time.update)
        let slowing = 1 + Double(update - 1) * learningRateDecay.value(at: step)
        var rule = pk_adagrad(
            rate: learningRate.value(at: step) / slowing, penalty: weightDecay.value(at: step), decay: 0,
            start: update == 1 ? initialAccumulator : 0, epsilon: epsilon.value(at: step))
        withUnsafePointer(to: copy block) { kernels.pointee.adagrad($0, &rule) }
    }
}
