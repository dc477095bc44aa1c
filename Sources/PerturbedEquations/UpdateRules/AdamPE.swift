import CPerturbationKernels

/// Perturbation-aware Adam: the variance that the noise is known to have does not shrink the step.
///
/// ```
/// m ← β₁m + (1 − β₁)ĝ                     m̂ = m/(1 − β₁ⁿ)
/// v ← β₂v + (1 − β₂)(ĝ² − s)              v̂ = max(v/(1 − β₂ⁿ), floor, φ·s̄)
/// θ ← θ − η·m̂/(√v̂ + ε)
/// ```
///
/// s is what the terms of δ declare (`Perturbation.variance`; after the controller's bounds), s̄ its average with
/// β₂. Adam's v tends to E[g²] + s, AdamPE's to E[g²]: noise in Adam acts as a smaller learning rate, here only
/// as noise. `KnownNoise` says what is done with noise in proportion to g. Without noise, and with floor 0, the
/// bits are Adam's. Where a term is deterministic or λ is coupled, ĝ's mean counts as gradient.
///
/// v̂ scatters: under normal noise by about 3% of s for β₂ = 0.999, so that φ, 0.1 unless told, is three
/// deviations. A smaller φ resolves smaller gradients under more noise and takes larger steps where there are
/// none. A term that does not declare its variance is refused.
///
/// Source: Tang, Shpilevskiy and Lécuyer 2024, DP-AdamBC: Your DP-Adam Is Actually DP-SGD (Unless You Apply Bias
/// Correction); the relative floor is ours.
public struct AdamPE: KernelRule {
    /// η.
    public var learningRate: Scheduled
    public var beta1: Scheduled
    public var beta2: Scheduled
    /// ε, in gradient units.
    public var epsilon: Scheduled
    /// λ.
    public var weightDecay: Scheduled
    /// Whether λ is taken off θ directly as ηλθ (AdamW's) instead of being added to the gradient.
    public var decoupled: Bool
    /// The least v̂, in gradient units², ≥ 0.
    public var floor: Scheduled
    /// φ, the least v̂ in units of the noise's variance, ≥ 0.
    public var noiseFloor: Scheduled

    public init(
        learningRate: Scheduled = 1e-3, beta1: Scheduled = 0.9, beta2: Scheduled = 0.999,
        epsilon: Scheduled = 1e-8, weightDecay: Scheduled = 0, decoupled: Bool = false,
        floor: Scheduled = 0, noiseFloor: Scheduled = 0.1
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decoupled = decoupled
        self.floor = floor
        self.noiseFloor = noiseFloor
    }

    public var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }
    public var requirements: RuleRequirements { .noiseVariance }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&beta1)
        try body(&beta2)
        try body(&epsilon)
        try body(&weightDecay)
        try body(&floor)
        try body(&noiseFloor)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.average("beta2", beta2)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
        try RuleChecks.notNegative("floor", floor)
        try RuleChecks.notNegative("noiseFloor", noiseFloor)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "adamPE", summary: "Adam whose second moment leaves out the known variance of the noise.",
        equation: "m ← β₁m + (1−β₁)ĝ; v ← β₂v + (1−β₂)(ĝ² − s); v̂ = max(v/(1−β₂ⁿ), floor, φs̄); "
            + "θ ← θ − η·m̂/(√v̂ + ε); "
            + CatalogueEntry.knownNoise,
        parameters: [
            .learningRate(default: "0.001"), .average("beta1", default: "0.9", "β₁"),
            .average("beta2", default: "0.999", "β₂"), .epsilon("1e-8"),
            .weightDecay("λ, added to the gradient as λθ; decoupled: taken off θ as ηλθ"),
            .decoupled("false"),
        ] + CatalogueEntry.Parameter.floors,
        source: "Tang, Shpilevskiy and Lécuyer 2024, DP-AdamBC; the relative floor is ours")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 1e-3),
            beta1: try container.decode(.beta1, default: 0.9),
            beta2: try container.decode(.beta2, default: 0.999),
            epsilon: try container.decode(.epsilon, default: 1e-8),
            weightDecay: try container.decode(.weightDecay, default: 0),
            decoupled: try container.decode(.decoupled, default: false),
            floor: try container.decode(.floor, default: 0),
            noiseFloor: try container.decode(.noiseFloor, default: 0.1))
    }

    /// Πβ₁, Πβ₂ and s̄, which is not corrected for its start.
    public var initialMemory: SIMD4<Double>? { [1, 1, 0, 0] }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        BiasCorrection.remember(&memory, beta1, beta2, at: tensor.time)
        memory[2] = known(tensor.noiseVariance, at: tensor.time).average(after: memory[2])
    }

    private func known(_ variance: ElementVariance, at time: RuleTime) -> KnownNoise {
        KnownNoise(variance, beta: beta2.value(at: time.step))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let step = numbers.step
        let first = BiasCorrection.weight(beta1, product: numbers.memory[0], at: numbers.time)
        let second = BiasCorrection.weight(beta2, product: numbers.memory[1], at: numbers.time)
        let known = known(numbers.noiseVariance, at: numbers.time)
        let least = max(
            floor.value(at: step) * second,
            noiseFloor.value(at: step) * known.average(after: numbers.memory[2]))
        let rate = learningRate.value(at: step)
        let lambda = weightDecay.value(at: step)
        var rule = pk_adam_pe(
            rate: rate / first, penalty: decoupled ? 0 : lambda, decay: decoupled ? rate * lambda : 0,
            beta1: beta1.value(at: step), epsilon: epsilon.value(at: step),
            root_scale: 1 / second.squareRoot(), noise: known.kernel(floor: least))
        withUnsafePointer(to: copy block) { kernels.pointee.adam_pe($0, &rule) }
    }
}
