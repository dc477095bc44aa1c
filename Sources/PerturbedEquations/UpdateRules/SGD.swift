import CPerturbationKernels

/// Stochastic gradient descent, with optional momentum: PyTorch's `SGD`.
///
/// ```
/// ĝ ← ĝ + λθ
/// without momentum:  θ ← θ − ηĝ
/// with momentum μ:   b ← μb + (1 − τ)ĝ  (b = ĝ at the first update)
///                    θ ← θ − ηb, or with Nesterov θ ← θ − η(ĝ + μb)
/// ```
///
/// Sources: Robbins and Monro 1951; Polyak 1964 (momentum); Nesterov 1983, in the form of Sutskever et al.
/// 2013.
public struct SGD: DrawingRule {
    /// η.
    public var learningRate: Scheduled
    /// μ, 0 ≤ μ < 1.
    public var momentum: Scheduled
    /// τ, 0 ≤ τ ≤ 1.
    public var dampening: Scheduled
    public var nesterov: Bool
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled

    public init(
        learningRate: Scheduled, momentum: Scheduled = 0, dampening: Scheduled = 0, nesterov: Bool = false,
        weightDecay: Scheduled = 0
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        self.weightDecay = weightDecay
    }

    var drawsNoise: Bool { true }

    public var stateNames: [String] { momentum.constant == 0 ? [] : ["momentum_buffer"] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&momentum)
        try body(&dampening)
        try body(&weightDecay)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try momentum.require("momentum", in: 0...0x1.fffffffffffffp-1, allowed: "0 ≤ momentum < 1")
        try dampening.require("dampening", in: 0...1, allowed: "0 ≤ dampening ≤ 1")
        if nesterov {
            try require(
                momentum.constant != 0 && dampening.constant == 0, "nesterov", is: nesterov,
                allowed: "true only with momentum > 0 and dampening 0")
        }
        try RuleChecks.decay(weightDecay)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "sgd", summary: "Stochastic gradient descent, with optional momentum.",
        equation: "b ← μb + (1−τ)ĝ; θ ← θ − ηb; Nesterov: θ ← θ − η(ĝ + μb); μ = 0: θ ← θ − ηĝ",
        parameters: [
            .learningRate,
            .init("momentum", "schedule", default: "0", allowed: "0 ≤ momentum < 1", "μ"),
            .init("dampening", "schedule", default: "0", allowed: "0 ≤ dampening ≤ 1", "τ"),
            .init("nesterov", "boolean", default: "false", allowed: "true, false", "look ahead"),
            .weightDecay("λ, added to the gradient as λθ"),
        ],
        source: "Robbins and Monro 1951; Polyak 1964; Nesterov 1983 as in Sutskever et al. 2013")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            momentum: try container.decode(.momentum, default: 0),
            dampening: try container.decode(.dampening, default: 0),
            nesterov: try container.decode(.nesterov, default: false),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers) {
        var rule = pk_sgd(
            rate: learningRate.value(at: numbers.step), penalty: weightDecay.value(at: numbers.step),
            decay: 0,
            momentum: momentum.value(at: numbers.step),
            intake: numbers.time.update == 1 ? 1 : 1 - dampening.value(at: numbers.step),
            nesterov: nesterov ? 1 : 0)
        let kernel = block.terms == nil ? kernels.pointee.sgd : kernels.pointee.sgd_drawn
        withUnsafePointer(to: copy block) { kernel!($0, &rule) }
    }
}
