import CPerturbationKernels

/// Stochastic gradient Hamiltonian Monte Carlo: a sampler with momentum and friction.
///
/// ```
/// v ← (1 − a)v − ηN(ĝ + λθ) + √(2(a − b)ηT)·ξ        ξ ~ N(0, 1); v₀ ~ N(0, ηT)
/// θ ← θ + v
/// ```
///
/// The paper's equation 15 with its α as a and β̂ as b: η is the square of the physical time step (its ε²M⁻¹).
/// b is the friction's share that minibatch noise (or a perturbation) of variance s in ∇U stands for, b = ηs/(2T).
/// On U = ½hθ² the variance is T/h up to O(ηh). A scheduled η should change slowly: v's variance is ηT.
///
/// Source: Chen, Fox and Guestrin 2014, Stochastic Gradient Hamiltonian Monte Carlo.
public struct SGHMC: MomentumSampler {
    /// η, in θ² per nat.
    public var learningRate: Scheduled
    /// a, 0 < a ≤ 1 per update.
    public var friction: Scheduled
    /// b, 0 ≤ b ≤ a.
    public var gradientNoise: Scheduled
    /// T, ≥ 0.
    public var temperature: Scheduled
    /// N, > 0: how many mean losses make U.
    public var dataSize: Double
    /// λ: a Gaussian prior of precision Nλ.
    public var weightDecay: Scheduled

    public init(
        learningRate: Scheduled, friction: Scheduled = 0.1, gradientNoise: Scheduled = 0,
        temperature: Scheduled = 1, dataSize: Double = 1, weightDecay: Scheduled = 0
    ) {
        self.learningRate = learningRate
        self.friction = friction
        self.gradientNoise = gradientNoise
        self.temperature = temperature
        self.dataSize = dataSize
        self.weightDecay = weightDecay
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&friction)
        try body(&gradientNoise)
        try body(&temperature)
        try body(&weightDecay)
    }

    public func validate() throws {
        try checkSampler()
        try RuleChecks.friction(friction)
        let allowed = "0 ≤ gradientNoise ≤ friction"
        try gradientNoise.require("gradientNoise", in: 0...1, allowed: allowed)
        guard !gradientNoise.needsHorizon && !friction.needsHorizon else { return }
        for step in [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000] {
            try require(
                gradientNoise.value(at: step) <= friction.value(at: step), "gradientNoise",
                is:
                    "\(gradientNoise.value(at: step)) at step \(step), with friction \(friction.value(at: step))",
                allowed: allowed)
        }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "sghmc", summary: "Stochastic gradient Hamiltonian Monte Carlo: a sampler with momentum.",
        equation: "v ← (1−a)v − ηN(ĝ + λθ) + √(2(a−b)ηT)·ξ, ξ ~ N(0, 1); θ ← θ + v",
        parameters: [CatalogueEntry.Parameter.samplers[0], .friction(default: "0.1")] + [
            .init(
                "gradientNoise", "schedule", default: "0", allowed: "0 ≤ gradientNoise ≤ friction",
                unit: "per update", "b, the friction that the gradient's own noise stands for")
        ] + CatalogueEntry.Parameter.samplers.dropFirst(),
        source: "Chen, Fox and Guestrin 2014, Stochastic Gradient Hamiltonian Monte Carlo")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            friction: try container.decode(.friction, default: 0.1),
            gradientNoise: try container.decode(.gradientNoise, default: 0),
            temperature: try container.decode(.temperature, default: 1),
            dataSize: try container.decode(.dataSize, default: 1),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let friction = friction.value(at: numbers.step)
        move(
            block, kernels, at: numbers.step, friction: friction,
            noise: friction - gradientNoise.value(at: numbers.step))
    }
}

extension RuleChecks {
    static func friction(_ value: Scheduled) throws {
        try value.require(
            "friction", in: Double.leastNonzeroMagnitude...1, allowed: "0 < friction ≤ 1")
    }
}

extension CatalogueEntry.Parameter {
    static func friction(default value: String) -> Self {
        .init(
            "friction", "schedule", default: value, allowed: "0 < friction ≤ 1", unit: "per update",
            "a, the velocity's friction")
    }
}
