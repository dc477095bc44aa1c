/// bSAM: SAM as a relaxation of Bayes, which learns the scale of its perturbation and so a Gaussian over the weights.
///
/// The rule learns q = N(θ, diag(1/(λs))), and brings two evaluations of its own: one at a sample of q, which says how uncertain
/// the weights are, and one uphill from θ, by more where they are more uncertain. So it needs `step(_:objective:)` and allows no
/// other parameter perturbation.
///
/// ```
/// g = ∇L(θ + ξ/√(λs)),  ξ ~ N(0, 1)
/// g' = ∇L(θ + ρ·g/s)
/// m ← β₁m + (1 − β₁)(ĝ' + δθ)
/// θ ← θ − η·m/s
/// s ← β₂s + (1 − β₂)(√s·|g| + δ + γ)
/// ```
///
/// Units: the loss is a mean over examples and λ (`effectiveSampleSize`) is their number N, so that δ is the precision of the Gaussian
/// prior over N. γ damps: it keeps s, and with it the width of q, from what gradients of 0 would make of it. θ is the mean of q, what
/// checkpoints and evaluation see. Clipping and perturbations act on g'.
///
/// State: `exp_avg` (m) and `precision` (s, s₀ before the first update).
///
/// Source: Möllenhoff and Khan 2023, SAM as an Optimal Relaxation of Bayes; as the authors' code has it, where θ moves by the
/// precision of before the update. Their m-sharpness (parts of a batch apart) is left out.
public struct BSAM: VariationalRule {
    /// η.
    public var learningRate: Scheduled
    /// ρ, how far uphill, in θ·s per gradient; ≥ 0, default 0.05.
    public var rho: Scheduled
    /// λ, the effective number of examples; > 0. Nil where the posterior says it, as in `peo sample`; an optimizer needs it.
    public var effectiveSampleSize: Scheduled?
    /// s₀ > 0, default 1.
    public var initialPrecision: Double
    public var beta1: Scheduled
    public var beta2: Scheduled
    /// δ > 0, default 1e-4.
    public var weightDecay: Scheduled
    /// γ ≥ 0, default 0.1.
    public var damping: Scheduled

    public init(
        learningRate: Scheduled, rho: Scheduled = 0.05, effectiveSampleSize: Scheduled?,
        initialPrecision: Double = 1, beta1: Scheduled = 0.9, beta2: Scheduled = 0.999,
        weightDecay: Scheduled = 1e-4, damping: Scheduled = 0.1
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.effectiveSampleSize = effectiveSampleSize
        self.initialPrecision = initialPrecision
        self.beta1 = beta1
        self.beta2 = beta2
        self.weightDecay = weightDecay
        self.damping = damping
    }

    public static let standardWeightDecay = 1e-4
    public var precisionState: (name: String, initial: Double) { ("precision", initialPrecision) }

    /// 0: δ is in s already.
    public func addedPrecision(at step: Int) -> Double { 0 }
    public var stateNames: [String] { ["exp_avg", "precision"] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&rho)
        try visitSize(body)
        try body(&beta1)
        try body(&beta2)
        try body(&weightDecay)
        try body(&damping)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try ObjectiveChecks.distance("rho", rho)
        try checkPosterior()
        try require(
            initialPrecision > 0 && initialPrecision.isFinite, "initialPrecision", is: initialPrecision,
            allowed: "a finite number > 0")
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.average("beta2", beta2)
        try ObjectiveChecks.notNegative("damping", damping)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "bsam", summary: "SAM as a relaxation of Bayes: learns a Gaussian over the weights.",
        equation: "g = ∇L(θ + ξ/√(λs)), g' = ∇L(θ + ρg/s); m ← β₁m + (1−β₁)(ĝ' + δθ); θ ← θ − ηm/s; "
            + "s ← β₂s + (1−β₂)(√s|g| + δ + γ)",
        parameters: [
            .init("learningRate", "schedule", allowed: "≥ 0", unit: "θ·s per gradient", "η"),
            .init(
                "rho", "schedule", default: "0.05", allowed: "≥ 0", unit: "θ·s per gradient",
                "ρ, how far uphill"),
            .effectiveSampleSize,
            .init(
                "initialPrecision", "number", default: "1", allowed: "> 0", unit: "loss per θ²", "s₀"),
            .average("beta1", default: "0.9", "β₁"), .average("beta2", default: "0.999", "β₂"),
            .priorPrecision(default: "1e-4"),
            .init(
                "damping", "schedule", default: "0.1", allowed: "≥ 0", unit: "loss per θ²",
                "γ, added to what s follows"),
        ], source: "Möllenhoff and Khan 2023, SAM as an Optimal Relaxation of Bayes")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            rho: try container.decode(.rho, default: 0.05),
            effectiveSampleSize: try container.decodeIfPresent(Scheduled.self, forKey: .effectiveSampleSize),
            initialPrecision: try container.decode(.initialPrecision, default: 1),
            beta1: try container.decode(.beta1, default: 0.9),
            beta2: try container.decode(.beta2, default: 0.999),
            weightDecay: try container.decode(.weightDecay, default: 1e-4),
            damping: try container.decode(.damping, default: 0.1))
    }

    public func update(_ block: UpdateBlock<Float>, at time: RuleTime) { run(block, time) }
    public func update(_ block: UpdateBlock<Double>, at time: RuleTime) { run(block, time) }

    private func run<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
        guard let sampled = block.curvature else {
            preconditionFailure("bsam was given no gradient at a sample")
        }
        let theta = block.parameters
        let (average, precision) = (block.state[0], block.state[1])
        let beta1 = beta1.value(at: time.step)
        let beta2 = beta2.value(at: time.step)
        let decay = S(weightDecay.value(at: time.step))
        let floor = decay + S(damping.value(at: time.step))
        let rate = S(learningRate.value(at: time.step))
        let (keep1, take1) = (S(beta1), S(1 - beta1))
        let (keep2, take2) = (S(beta2), S(1 - beta2))
        if time.update == 1 { precision.update(repeating: S(initialPrecision)) }
        for i in theta.indices {
            let s = precision[i]
            let m = keep1 * average[i] + take1 * (block.perturbedGradient(i) + decay * theta[i])
            average[i] = m
            theta[i] -= rate * m / s
            precision[i] = keep2 * s + take2 * (s.squareRoot() * abs(sampled[i]) + floor)
        }
    }
}
