import CPerturbationKernels

/// SGD with momentum, 0.9 unless told: b ← μb + ĝ; θ ← θ − ηb.
///
/// Source: Polyak 1964, Some Methods of Speeding up the Convergence of Iteration Methods.
public struct Momentum: KernelRule {
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

    private var sgd: SGD {
        SGD(learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    }

    public var stateNames: [String] { sgd.stateNames }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&momentum)
        try body(&weightDecay)
    }

    public func validate() throws { try sgd.validate() }

    public static let catalogueEntry = CatalogueEntry(
        name: "momentum", summary: "SGD with momentum.", equation: "b ← μb + ĝ; θ ← θ − ηb",
        parameters: [
            .learningRate, .init("momentum", "schedule", default: "0.9", allowed: "0 ≤ momentum < 1", "μ"),
            .weightDecay("λ, added to the gradient as λθ"),
        ],
        source: "Polyak 1964, Some Methods of Speeding up the Convergence of Iteration Methods")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            momentum: try container.decode(.momentum, default: 0.9),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, at time: RuleTime) {
        sgd.apply(block, kernels, at: time)
    }
}
