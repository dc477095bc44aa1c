import CPerturbationKernels

/// The stochastic gradient Nosé–Hoover thermostat: a sampler that finds out how noisy its gradients are.
///
/// ```
/// v ← (1 − α)v − ηN(ĝ + λθ) + √(2aηT)·ξ        ξ ~ N(0, 1); v₀ ~ N(0, ηT)
/// θ ← θ + v
/// α ← α + (‖v‖²/n − ηT)/μ                      α₀ = a, −1 ≤ α ≤ 1
/// ```
///
/// The paper's algorithm in the velocity v = ph, with η = h², a = Ah and α = ξh. The thermostat α settles where
/// the velocity's temperature is right: at a, plus what minibatch noise or a perturbation of variance s in ∇U
/// stands for, ηs/(2T). It takes about μa/(ηT) updates; the paper has μ = 1, which suits posteriors of the size
/// 1 in θ. Each tensor of n elements has its own thermostat (the paper has one in all), which leaves the same
/// distribution invariant; for very small tensors it swings widely. While T = 0, as where a cyclical step size explores,
/// α stays as it is: it could only rise towards a temperature that it is not for. The bias of a finite step: on U = ½hθ² the
/// variance is T/h·(1 − α/2), up to O(ηh). A friction beyond 1, as after a huge gradient, would turn the velocity
/// round; α is kept from it.
///
/// Source: Ding, Fang, Babbush, Chen, Skeel and Neven 2014, Bayesian Sampling Using Stochastic Gradient
/// Thermostats.
public struct SGNHT: MomentumSampler {
    /// η, in θ² per nat; the square of the physical time step.
    public var learningRate: Scheduled
    /// a, 0 < a ≤ 1 per update: the friction that the injected noise stands for.
    public var friction: Scheduled
    /// μ, > 0: the thermostat's inertia.
    public var inertia: Scheduled
    /// T, ≥ 0.
    public var temperature: Scheduled
    /// N, > 0: how many mean losses make U.
    public var dataSize: Double
    /// λ: a Gaussian prior of precision Nλ.
    public var weightDecay: Scheduled

    public init(
        learningRate: Scheduled, friction: Scheduled = 0.01, inertia: Scheduled = 1,
        temperature: Scheduled = 1, dataSize: Double = 1, weightDecay: Scheduled = 0
    ) {
        self.learningRate = learningRate
        self.friction = friction
        self.inertia = inertia
        self.temperature = temperature
        self.dataSize = dataSize
        self.weightDecay = weightDecay
    }

    public var requirements: RuleRequirements { [.noise, .sums] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&friction)
        try body(&inertia)
        try body(&temperature)
        try body(&weightDecay)
    }

    public func validate() throws {
        try checkSampler()
        try RuleChecks.friction(friction)
        try inertia.require(
            "inertia", in: Double.leastNormalMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite number > 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "sgnht",
        summary: "The stochastic gradient Nosé–Hoover thermostat: a sampler that adapts its friction.",
        equation:
            "v ← (1−α)v − ηN(ĝ + λθ) + √(2aηT)·ξ, ξ ~ N(0, 1); θ ← θ + v; α ← α + (‖v‖²/n − ηT)/μ, per tensor",
        parameters: [
            CatalogueEntry.Parameter.samplers[0], .friction(default: "0.01"),
            .init(
                "inertia", "schedule", default: "1", allowed: "> 0", unit: "θ²", "μ, the thermostat's inertia"
            ),
        ] + CatalogueEntry.Parameter.samplers.dropFirst(),
        source: "Ding et al. 2014, Bayesian Sampling Using Stochastic Gradient Thermostats")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            friction: try container.decode(.friction, default: 0.01),
            inertia: try container.decode(.inertia, default: 1),
            temperature: try container.decode(.temperature, default: 1),
            dataSize: try container.decode(.dataSize, default: 1),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    /// α.
    public var initialMemory: SIMD4<Double>? { [friction.value(at: 0), 0, 0, 0] }

    func finish<S: EquationScalar>(_ block: UpdateBlock<S>) {
        let v = UnsafePointer(block.state[0].baseAddress)
        block.add(toSums: [S.kernels(block.level).pointee.dot(v, v, block.state[0].count), 0, 0, 0])
    }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        let temperature = temperature.value(at: tensor.time.step)
        guard tensor.count > 0, temperature > 0 else { return }
        let variance = learningRate.value(at: tensor.time.step) * temperature
        let excess = tensor.sums[0] / Double(tensor.count) - variance
        memory[0] = min(max(memory[0] + excess / inertia.value(at: tensor.time.step), -1), 1)
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        move(
            block, kernels, at: numbers.step, friction: numbers.memory[0],
            noise: friction.value(at: numbers.step))
    }
}
