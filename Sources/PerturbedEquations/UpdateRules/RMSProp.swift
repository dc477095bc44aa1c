import CPerturbationKernels

/// RMSProp, optionally centred and with momentum: PyTorch's `RMSprop`.
///
/// ```
/// ĝ ← ĝ + λθ
/// s ← αs + (1 − α)ĝ²                    centred: a ← αa + (1 − α)ĝ, s' = max(s − a², 0); else s' = s
/// u = ĝ/(√s' + ε)                       with momentum μ: b ← μb + u, u = b
/// θ ← θ − ηu
/// ```
///
/// Sources: Tieleman and Hinton 2012, Lecture 6.5; centred: Graves 2013, Generating Sequences with RNNs.
public struct RMSProp: KernelRule {
    /// η.
    public var learningRate: Scheduled
    /// α, the average's memory.
    public var alpha: Scheduled
    public var epsilon: Scheduled
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled
    /// μ.
    public var momentum: Scheduled
    public var centred: Bool

    public init(
        learningRate: Scheduled = 0.01, alpha: Scheduled = 0.99, epsilon: Scheduled = 1e-8,
        weightDecay: Scheduled = 0, momentum: Scheduled = 0, centred: Bool = false
    ) {
        self.learningRate = learningRate
        self.alpha = alpha
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.centred = centred
    }

    public var stateNames: [String] {
        ["square_avg"] + (centred ? ["grad_avg"] : []) + (momentum.constant != 0 ? ["momentum_buffer"] : [])
    }

    public var secondMomentName: String? { "square_avg" }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&alpha)
        try body(&epsilon)
        try body(&weightDecay)
        try body(&momentum)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("alpha", alpha)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
        try RuleChecks.average("momentum", momentum)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "rmsProp", summary: "The gradient over its running root mean square.",
        equation: "s ← αs + (1−α)ĝ²; θ ← θ − η·ĝ/(√s + ε); centred: s − a², a ← αa + (1−α)ĝ",
        parameters: [
            .learningRate(default: "0.01"),
            .average("alpha", default: "0.99", "α"), .epsilon("1e-8"),
            .weightDecay("λ, added to the gradient as λθ"), .average("momentum", default: "0", "μ"),
            .init(
                "centred", "boolean", default: "false", allowed: "true, false",
                "divide by the deviation instead of the root mean square"),
        ],
        source: "Tieleman and Hinton 2012, Lecture 6.5; centred: Graves 2013")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 0.01),
            alpha: try container.decode(.alpha, default: 0.99),
            epsilon: try container.decode(.epsilon, default: 1e-8),
            weightDecay: try container.decode(.weightDecay, default: 0),
            momentum: try container.decode(.momentum, default: 0),
            centred: try container.decode(.centred, default: false))
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers) {
        var rule = pk_rmsprop(
            rate: learningRate.value(at: numbers.step), penalty: weightDecay.value(at: numbers.step),
            decay: 0,
            alpha: alpha.value(at: numbers.step), epsilon: epsilon.value(at: numbers.step),
            momentum: momentum.value(at: numbers.step), centred: centred ? 1 : 0)
        withUnsafePointer(to: copy block) { kernels.pointee.rmsprop($0, &rule) }
    }
}
