import CPerturbationKernels

/// Adam with decoupled weight decay: PyTorch's `AdamW`.
///
/// θ ← (1 − ηλ)·θ − η·m̂/(√v̂ + ε), with m̂ and v̂ as in `Adam`; the decay does not pass through them.
///
/// Source: Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization.
public struct AdamW: DrawingRule {
    /// The moments' settings; its own `weightDecay` is not used.
    private var adam: Adam
    /// λ, decoupled; 0.01 unless told.
    public var weightDecay: Scheduled

    public var learningRate: Scheduled {
        get { adam.learningRate }
        set { adam.learningRate = newValue }
    }
    public var beta1: Scheduled { adam.beta1 }
    public var beta2: Scheduled { adam.beta2 }
    public var epsilon: Scheduled { adam.epsilon }
    public var amsgrad: Bool { adam.amsgrad }

    public init(
        learningRate: Scheduled = 1e-3, beta1: Scheduled = 0.9, beta2: Scheduled = 0.999,
        epsilon: Scheduled = 1e-8,
        weightDecay: Scheduled = 0.01, amsgrad: Bool = false
    ) {
        adam = Adam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad)
        self.weightDecay = weightDecay
    }

    var drawsNoise: Bool { adam.drawsNoise }

    public var stateNames: [String] { adam.stateNames }
    public var secondMomentName: String? { adam.secondMomentName }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try adam.forEachSchedule(body)
        try body(&weightDecay)
    }

    public var initialMemory: SIMD4<Double>? { adam.initialMemory }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        adam.remember(&memory, of: tensor)
    }

    public func validate() throws {
        try adam.validate()
        try RuleChecks.decay(weightDecay)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adamW", summary: "Adam with decoupled weight decay.",
        equation: "θ ← (1 − ηλ)θ − η·m̂/(√v̂ + ε)",
        parameters: Adam.parameters(decay: "0.01", "λ, taken off θ directly as ηλθ"),
        source: "Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: NamedKey.self)
        adam = try Adam(from: decoder)
        weightDecay = try container.decode(NamedKey("weightDecay"), default: 0.01)
        adam.weightDecay = 0
    }

    public func encode(to encoder: any Encoder) throws {
        var written = adam
        written.weightDecay = weightDecay
        try written.encode(to: encoder)
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers) {
        let decay = learningRate.value(at: numbers.step) * weightDecay.value(at: numbers.step)
        adam.apply(block, kernels, with: numbers, penalty: 0, decay: decay)
    }
}
