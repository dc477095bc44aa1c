/// IVON: variational learning of a Gaussian over the weights at the price of Adam.
///
/// The rule learns q = N(θ, diag(s²)), s = 1/√(λ(h + δ)), and brings its own weight sampling: the objective is
/// evaluated at θ̃ = θ + s⊙ξ, ξ ~ N(0, 1), `samples` times per step, so it needs `step(_:objective:)` and allows
/// no other parameter perturbation.
///
/// ```
/// ĥ = mean of ĝ⊙ξ/s                    (Price's theorem: E[ĥ] is the diagonal of the Hessian)
/// m ← β₁m + (1 − β₁)ĝ                  m̂ = m/(1 − β₁ⁿ) with `debias`
/// h ← β₂h + (1 − β₂)ĥ + ½(1 − β₂)²(h − ĥ)²/(h + δ)
/// θ ← θ − η'·clip((m̂ + δθ)/(h + δ), ±`clipRadius`)     η' = η(h₀ + δ) with `rescaleRate`, else η
/// ```
///
/// Units: the loss is a mean over examples and λ (`effectiveSampleSize`) is their number N, so that the target is the
/// posterior ∝ exp(−N·L(θ) − N·(δ/2)‖θ‖²): δ is the precision of the Gaussian prior over N. θ is the mean of q, what
/// checkpoints and evaluation see. Clipping the gradient and perturbing it bias ĥ: leave them out, or take
/// `clipRadius`. With several samples ĥ is taken before clipping and δ(t). But h does not grow with a gradient as
/// Adam's v does, so one that is far too large is in m for many steps: where such come, clip by norm all the same.
///
/// State: `exp_avg` (m) and `hess` (h, h₀ before the first update).
///
/// Source: Shen et al. 2024, Variational Learning is Effective for Large Deep Networks; compared with the authors'
/// ivon-opt, whose names are lr, ess, hess_init, mc_samples, rescale_lr.
public struct IVON: VariationalRule {
    /// η.
    public var learningRate: Scheduled
    /// λ, the effective number of examples; > 0. Nil where the posterior says it, as in `peo sample`; an optimizer needs it.
    public var effectiveSampleSize: Scheduled?
    /// h₀ > 0, default 1. Too small a value makes the first samples wild.
    public var initialHessian: Double
    public var beta1: Scheduled
    public var beta2: Scheduled
    /// δ > 0, default 1e-4.
    public var weightDecay: Scheduled
    /// The bound on each element of the preconditioned step; > 0, default 1e30: none in practice.
    public var clipRadius: Scheduled
    public var debias: Bool
    public var rescaleRate: Bool
    /// Evaluations per step; 1…1000, default 1.
    public var samples: Int

    public init(
        learningRate: Scheduled = 0.1, effectiveSampleSize: Scheduled?, initialHessian: Double = 1,
        beta1: Scheduled = 0.9, beta2: Scheduled = 0.99999, weightDecay: Scheduled = 1e-4,
        clipRadius: Scheduled = 1e30, debias: Bool = true, rescaleRate: Bool = true, samples: Int = 1
    ) {
        self.learningRate = learningRate
        self.effectiveSampleSize = effectiveSampleSize
        self.initialHessian = initialHessian
        self.beta1 = beta1
        self.beta2 = beta2
        self.weightDecay = weightDecay
        self.clipRadius = clipRadius
        self.debias = debias
        self.rescaleRate = rescaleRate
        self.samples = samples
    }

    public static let standardWeightDecay = 1e-4
    public var precisionState: (name: String, initial: Double) { ("hess", initialHessian) }

    /// δ: q has the precision λ(h + δ).
    public func addedPrecision(at step: Int) -> Double { weightDecay.value(at: step) }

    public var stateNames: [String] { ["exp_avg", "hess"] }
    public var requirements: RuleRequirements { [.noise] }
    public var initialMemory: SIMD4<Double>? { BiasCorrection.initialMemory(beta1, 0) }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        if beta1.constant == nil { BiasCorrection.remember(&memory, beta1, 0, at: tensor.time) }
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try visitSize(body)
        try body(&beta1)
        try body(&beta2)
        try body(&weightDecay)
        try body(&clipRadius)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try checkPosterior()
        try require(
            initialHessian > 0 && initialHessian.isFinite, "initialHessian", is: initialHessian,
            allowed: "a finite number > 0")
        try RuleChecks.average("beta1", beta1)
        try RuleChecks.average("beta2", beta2)
        try ObjectiveChecks.positive("clipRadius", clipRadius)
        try ObjectiveChecks.count("samples", samples, atMost: 1000)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "ivon", summary: "Variational learning of a Gaussian over the weights; samples them itself.",
        equation: "g = ∇L(θ + s⊙ξ), s = 1/√(λ(h+δ)); ĥ = ĝξ/s; m ← β₁m + (1−β₁)ĝ; "
            + "h ← β₂h + (1−β₂)ĥ + ½(1−β₂)²(h−ĥ)²/(h+δ); θ ← θ − η'·(m̂ + δθ)/(h + δ)",
        parameters: [
            .init(
                "learningRate", "schedule", default: "0.1", allowed: "≥ 0",
                unit: "θ per D, times h₀ + δ with rescaleRate", "η"),
            .effectiveSampleSize,
            .init(
                "initialHessian", "number", default: "1", allowed: "> 0", unit: "loss per θ²", "h₀"),
            .average("beta1", default: "0.9", "β₁"), .average("beta2", default: "0.99999", "β₂"),
            .priorPrecision(default: "1e-4"),
            .init(
                "clipRadius", "schedule", default: "1e30", allowed: "> 0", unit: "θ per η'",
                "bound on each element of the step"),
            .init("debias", "boolean", default: "true", allowed: "true, false", "m̂ = m/(1 − β₁ⁿ)"),
            .init(
                "rescaleRate", "boolean", default: "true", allowed: "true, false", "η' = η(h₀ + δ), else η"),
            .init("samples", "integer", default: "1", allowed: "1 … 1000", "evaluations per step"),
        ],
        source: "Shen et al. 2024, Variational Learning is Effective for Large Deep Networks")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 0.1),
            effectiveSampleSize: try container.decodeIfPresent(Scheduled.self, forKey: .effectiveSampleSize),
            initialHessian: try container.decode(.initialHessian, default: 1),
            beta1: try container.decode(.beta1, default: 0.9),
            beta2: try container.decode(.beta2, default: 0.99999),
            weightDecay: try container.decode(.weightDecay, default: 1e-4),
            clipRadius: try container.decode(.clipRadius, default: 1e30),
            debias: try container.decode(.debias, default: true),
            rescaleRate: try container.decode(.rescaleRate, default: true),
            samples: try container.decode(.samples, default: 1))
    }

    public func update(_ block: UpdateBlock<Float>, at time: RuleTime) { run(block, time) }
    public func update(_ block: UpdateBlock<Double>, at time: RuleTime) { run(block, time) }

    private func run<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
        let theta = block.parameters
        let (average, hessian) = (block.state[0], block.state[1])
        let beta1 = beta1.value(at: time.step)
        let beta2 = beta2.value(at: time.step)
        let decay = S(weightDecay.value(at: time.step))
        let size = S(self.size(at: time.step))
        let correction =
            debias ? S(1 / BiasCorrection.weight(self.beta1, product: block.memory[0], at: time)) : 1
        let rate = S(
            learningRate.value(at: time.step)
                * (rescaleRate ? initialHessian + weightDecay.value(at: time.step) : 1))
        let (keep1, take1) = (S(beta1), S(1 - beta1))
        let (keep2, take2) = (S(beta2), S(1 - beta2))
        let radius = S(clipRadius.value(at: time.step))
        if time.update == 1 { hessian.update(repeating: S(initialHessian)) }
        let noise = UnsafeMutableBufferPointer(start: block.room, count: theta.count)
        if block.curvature == nil {
            var span = noise.mutableSpan
            block.weightNoise.fill(&span, with: .normal)
        }
        for i in theta.indices {
            let g = block.perturbedGradient(i)
            let h = hessian[i]
            let precision = h + decay
            let estimate = block.curvature?[i] ?? g * noise[i] * (size * precision).squareRoot()
            let m = keep1 * average[i] + take1 * g
            let difference = take2 * (h - estimate)
            let next = keep2 * h + take2 * estimate + difference * difference / (2 * precision)
            let step = (m * correction + decay * theta[i]) / (next + decay)
            average[i] = m
            hessian[i] = next
            theta[i] -= rate * max(-radius, min(radius, step))
        }
    }
}
