import CPerturbationKernels

/// Adam with positive-negative momentum.
///
/// ```
/// mₙ = β₁²·mₙ₋₂ + (1 − β₁²)·ĝ                  odd and even updates have an average each
/// v ← β₂v + (1 − β₂)ĝ²                         v̂ = v/(1 − β₂ⁿ), with amsgrad v's running maximum
/// m̂ = ((1 + β₀)·mₙ − β₀·mₙ₋₁)/(√((1+β₀)² + β₀²)·(1 − β₁ⁿ))
/// θ ← θ − η·m̂/(√v̂ + ε)
/// ```
///
/// The noise is amplified as in `PNM`. amsgrad is on and λ decoupled unless told, as in the authors' code. With a
/// scheduled β, 1 − βⁿ is 1 − Πβ over the n updates: see `BiasCorrection`.
///
/// Source: Xie, Yuan, Zhu and Sugiyama 2021, Positive-Negative Momentum: Manipulating Stochastic Gradient Noise
/// to Improve Generalization (β₀ is the last beta of the authors' code).
public struct AdaPNM: KernelRule {
    /// η.
    public var learningRate: Scheduled
    /// β₁, the momenta's memory per update.
    public var beta1: Scheduled
    public var beta2: Scheduled
    /// β₀, how much of the negative momentum is taken; ≥ 0.
    public var beta0: Scheduled
    /// ε, in gradient units.
    public var epsilon: Scheduled
    /// λ.
    public var weightDecay: Scheduled
    /// Whether λ is taken off θ directly as ηλθ, or added to the gradient.
    public var decoupled: Bool
    public var amsgrad: Bool

    public init(
        learningRate: Scheduled = 1e-3, beta1: Scheduled = 0.9, beta2: Scheduled = 0.999,
        beta0: Scheduled = 1, epsilon: Scheduled = 1e-8, weightDecay: Scheduled = 0, decoupled: Bool = true,
        amsgrad: Bool = true
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.beta0 = beta0
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decoupled = decoupled
        self.amsgrad = amsgrad
    }

    public var stateNames: [String] {
        ["exp_avg", "neg_exp_avg", "exp_avg_sq"] + (amsgrad ? ["max_exp_avg_sq"] : [])
    }

    public var secondMomentName: String? { "exp_avg_sq" }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&beta1)
        try body(&beta2)
        try body(&beta0)
        try body(&epsilon)
        try body(&weightDecay)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.average("beta2", beta2)
        try RuleChecks.notNegative("beta0", beta0)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adaPNM", summary: "Adam with positive-negative momentum.",
        equation: "mₙ = β₁²mₙ₋₂ + (1−β₁²)ĝ; v ← β₂v + (1−β₂)ĝ²; "
            + "θ ← θ − η/√((1+β₀)²+β₀²)·((1+β₀)mₙ − β₀mₙ₋₁)/((1−β₁ⁿ)(√v̂ + ε))",
        parameters: [
            .learningRate(default: "0.001"), .average("beta1", default: "0.9", "β₁"),
            .average("beta2", default: "0.999", "β₂"), .beta0, .epsilon("1e-8"),
            .weightDecay("λ, taken off θ as ηλθ; not decoupled: added to the gradient as λθ"),
            .decoupled("true"),
            .init("amsgrad", "boolean", default: "true", allowed: "true, false", "v's running maximum"),
        ],
        source: "Xie, Yuan, Zhu and Sugiyama 2021, Positive-Negative Momentum")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 1e-3),
            beta1: try container.decode(.beta1, default: 0.9),
            beta2: try container.decode(.beta2, default: 0.999),
            beta0: try container.decode(.beta0, default: 1),
            epsilon: try container.decode(.epsilon, default: 1e-8),
            weightDecay: try container.decode(.weightDecay, default: 0),
            decoupled: try container.decode(.decoupled, default: true),
            amsgrad: try container.decode(.amsgrad, default: true))
    }

    public var initialMemory: SIMD4<Double>? { BiasCorrection.initialMemory(beta1, beta2) }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        BiasCorrection.remember(&memory, beta1, beta2, at: tensor.time)
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let step = numbers.step
        let first = BiasCorrection.weight(beta1, product: numbers.memory[0], at: numbers.time)
        let second = BiasCorrection.weight(beta2, product: numbers.memory[1], at: numbers.time)
        let weights = PositiveNegative(beta0: beta0.value(at: step))
        let beta1 = beta1.value(at: step)
        let rate = learningRate.value(at: step)
        let lambda = weightDecay.value(at: step)
        var rule = pk_adapnm(
            rate: rate / first, penalty: decoupled ? 0 : lambda, decay: decoupled ? rate * lambda : 0,
            beta: beta1 * beta1, positive: weights.positive, negative: weights.negative,
            beta2: beta2.value(at: step), epsilon: epsilon.value(at: step),
            root_scale: 1 / second.squareRoot())
        withUnsafePointer(to: PositiveNegative.inTurn(block, numbers.time)) {
            kernels.pointee.adapnm($0, &rule)
        }
    }
}
