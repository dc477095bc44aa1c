import CPerturbationKernels
import Foundation

/// Adam: PyTorch's `Adam`.
///
/// ```
/// ĝ ← ĝ + λθ
/// m ← β₁m + (1 − β₁)ĝ                 m̂ = m/(1 − β₁ⁿ)
/// v ← β₂v + (1 − β₂)ĝ²                v̂ = v/(1 − β₂ⁿ), with amsgrad v's running maximum
/// θ ← θ − η·m̂/(√v̂ + ε)
/// ```
///
/// Source: Kingma and Ba 2015, Adam: A Method for Stochastic Optimization; amsgrad: Reddi et al. 2018.
public struct Adam: KernelRule {
    /// η.
    public var learningRate: Scheduled
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled
    public var amsgrad: Bool

    public init(
        learningRate: Scheduled = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Scheduled = 0, amsgrad: Bool = false
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.amsgrad = amsgrad
    }

    public var stateNames: [String] { ["exp_avg", "exp_avg_sq"] + (amsgrad ? ["max_exp_avg_sq"] : []) }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&weightDecay)
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
            .init("learningRate", "schedule", default: "0.001", allowed: "≥ 0", unit: "θ per D", "η"),
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

    func apply(_ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, at time: RuleTime) {
        apply(block, kernels, at: time, penalty: weightDecay.value(at: time.step), decay: 0)
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, at time: RuleTime,
        penalty: Double, decay: Double
    ) {
        let first = 1 - pow(beta1, Double(time.update))
        let second = 1 - pow(beta2, Double(time.update))
        var rule = pk_adam(
            rate: learningRate.value(at: time.step) / first, penalty: penalty, decay: decay, beta1: beta1,
            beta2: beta2, epsilon: epsilon, root_scale: 1 / second.squareRoot(), amsgrad: amsgrad ? 1 : 0)
        withUnsafePointer(to: copy block) { kernels.pointee.adam($0, &rule) }
    }
}
