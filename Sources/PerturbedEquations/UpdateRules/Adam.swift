import CPerturbationKernels

/// Adam: PyTorch's `Adam`.
///
/// ```
/// ĝ ← ĝ + λθ
/// m ← β₁m + (1 − β₁)ĝ                 m̂ = m/(1 − β₁ⁿ)
/// v ← β₂v + (1 − β₂)ĝ²                v̂ = v/(1 − β₂ⁿ), with amsgrad v's running maximum
/// θ ← θ − η·m̂/(√v̂ + ε)
/// ```
///
/// With a scheduled β, 1 − βⁿ is 1 − Πβ over the n updates: see `BiasCorrection`.
///
/// Source: Kingma and Ba 2015, Adam: A Method for Stochastic Optimization; amsgrad: Reddi et al. 2018.
public struct Adam: DrawingRule {
    /// η.
    public var learningRate: Scheduled
    public var beta1: Scheduled
    public var beta2: Scheduled
    public var epsilon: Scheduled
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled
    public var amsgrad: Bool

    public init(
        learningRate: Scheduled = 1e-3, beta1: Scheduled = 0.9, beta2: Scheduled = 0.999,
        epsilon: Scheduled = 1e-8,
        weightDecay: Scheduled = 0, amsgrad: Bool = false
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.amsgrad = amsgrad
    }

    var drawsNoise: Bool { !amsgrad }

    public var stateNames: [String] { ["exp_avg", "exp_avg_sq"] + (amsgrad ? ["max_exp_avg_sq"] : []) }

    public var secondMomentName: String? { "exp_avg_sq" }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&beta1)
        try body(&beta2)
        try body(&epsilon)
        try body(&weightDecay)
    }

    public var initialMemory: SIMD4<Double>? { BiasCorrection.initialMemory(beta1, beta2) }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        BiasCorrection.remember(&memory, beta1, beta2, at: tensor.time)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.average("beta2", beta2)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
    }

    static func parameters(decay: String, _ meaning: String) -> [CatalogueEntry.Parameter] {
        [
            .learningRate(default: "0.001"),
            .average("beta1", default: "0.9", "β₁"), .average("beta2", default: "0.999", "β₂"),
            .epsilon("1e-8"), .weightDecay(default: decay, meaning),
            .init("amsgrad", "boolean", default: "false", allowed: "true, false", "v's running maximum"),
        ]
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adam", summary: "Adaptive moments.",
        equation: "m ← β₁m + (1−β₁)ĝ; v ← β₂v + (1−β₂)ĝ²; θ ← θ − η·m̂/(√v̂ + ε)",
        parameters: parameters(decay: "0", "λ, added to the gradient as λθ"),
        source: "Kingma and Ba 2015, Adam: A Method for Stochastic Optimization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 1e-3),
            beta1: try container.decode(.beta1, default: 0.9),
            beta2: try container.decode(.beta2, default: 0.999),
            epsilon: try container.decode(.epsilon, default: 1e-8),
            weightDecay: try container.decode(.weightDecay, default: 0),
            amsgrad: try container.decode(.amsgrad, default: false))
    }

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers) {
        apply(block, kernels, with: numbers, penalty: weightDecay.value(at: numbers.step), decay: 0)
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers,
        penalty: Double, decay: Double
    ) {
        let first = BiasCorrection.weight(beta1, product: numbers.memory[0], at: numbers.time)
        let second = BiasCorrection.weight(beta2, product: numbers.memory[1], at: numbers.time)
        var rule = pk_adam(
            rate: learningRate.value(at: numbers.step) / first, penalty: penalty, decay: decay,
            beta1: beta1.value(at: numbers.step), beta2: beta2.value(at: numbers.step),
            epsilon: epsilon.value(at: numbers.step), root_scale: 1 / second.squareRoot(),
            amsgrad: amsgrad ? 1 : 0)
        let kernel = block.terms == nil ? kernels.pointee.adam : kernels.pointee.adam_drawn
        withUnsafePointer(to: copy block) { kernel!($0, &rule) }
    }
}
