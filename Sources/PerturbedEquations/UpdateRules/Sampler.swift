import CPerturbationKernels

/// What a rule that samples says of the posterior: its temperature, the number of examples and a Gaussian prior.
public protocol PosteriorRule: UpdateRule {
    /// T, ≥ 0.
    var temperature: Scheduled { get set }
    /// N, > 0: how many mean losses make U.
    var dataSize: Double { get set }
    /// λ: a Gaussian prior of precision Nλ.
    var weightDecay: Scheduled { get set }
}

/// A rule that samples from a posterior ∝ exp(−U/T) instead of descending to its mode.
///
/// U = −log posterior. The gradient g that a step gets is that of the MEAN loss over the data, so that
/// ∇U = N·(ĝ + λθ): N is the number of examples whose losses add up to U (1 where g is already ∇U), and λ a
/// Gaussian prior of precision Nλ. η has the units of θ² (per nat of U). The noise is the rule's own,
/// independent of every perturbation, and not touched by the stability controller; a perturbation's noise heats
/// the chain, exactly as minibatch noise does.
protocol Sampler: KernelRule, PosteriorRule {}

extension Sampler {
    public var requirements: RuleRequirements { .noise }

    func checkSampler() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.notNegative("temperature", temperature)
        try require(
            dataSize > 0 && dataSize.isFinite, "dataSize", is: dataSize, allowed: "a finite number > 0")
        try RuleChecks.decay(weightDecay)
    }
}

extension CatalogueEntry.Parameter {
    static let samplers = [
        Self("learningRate", "schedule", allowed: "≥ 0", unit: "θ² per nat of U", "η"),
        Self(
            "temperature", "schedule", default: "1", allowed: "≥ 0", unit: "nats",
            "T: the posterior is exp(−U/T)"),
        Self(
            "dataSize", "number", default: "1", allowed: "> 0", unit: "examples",
            "N, how many mean losses make U"),
        Self.weightDecay("λ, added to the gradient as λθ: a Gaussian prior of precision Nλ"),
    ]
}
