import CPerturbationKernels

/// SGD with one of the two forms of momentum and nothing else to choose.
protocol MomentumRule: DrawingRule {
    var momentum: Scheduled { get set }
    var weightDecay: Scheduled { get set }
    /// Whether it looks ahead.
    static var nesterov: Bool { get }

    init(learningRate: Scheduled, momentum: Scheduled, weightDecay: Scheduled)
}

private enum MomentumKeys: String, CodingKey {
    case learningRate, momentum, weightDecay
}

extension MomentumRule {
    /// The same rule in its general form.
    var sgd: SGD {
        SGD(
            learningRate: learningRate, momentum: momentum, nesterov: Self.nesterov, weightDecay: weightDecay)
    }

    var drawsNoise: Bool { sgd.drawsNoise }

    public var stateNames: [String] { sgd.stateNames }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&momentum)
        try body(&weightDecay)
    }

    public func validate() throws { try sgd.validate() }

    static var parameters: [CatalogueEntry.Parameter] {
        [
            .learningRate,
            .init(
                "momentum", "schedule", default: "0.9",
                allowed: nesterov ? "0 < momentum < 1" : "0 ≤ momentum < 1", "μ"),
            .weightDecay("λ, added to the gradient as λθ"),
        ]
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: MomentumKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            momentum: try container.decode(.momentum, default: 0.9),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers) {
        sgd.apply(block, kernels, with: numbers)
    }
}
