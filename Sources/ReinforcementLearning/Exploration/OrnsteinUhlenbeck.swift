import PerturbedEquations

/// Noise of actions that remembers where it was, as of a particle with friction.
///
/// ```
/// x ← x − κ·x·Δ + σ√Δ·ξ,   ξ ~ N(0, 1) per element;   a ← clip(a + x, −1, 1)
/// ```
///
/// Stationary variance σ²/(κ(2 − κΔ)). x starts at 0 in each episode. As Stable-Baselines3's
/// `OrnsteinUhlenbeckActionNoise`, for comparison with the others.
///
/// Source: Uhlenbeck and Ornstein 1930, On the Theory of the Brownian Motion; Lillicrap et al. 2016, Continuous Control with
/// Deep Reinforcement Learning.
public struct OrnsteinUhlenbeck: ActionNoise {
    /// σ in units of half the action's range, ≥ 0, default 0.2.
    public var sigma: Double
    /// κ, the friction per unit of time, > 0, default 0.15.
    public var friction: Double
    /// Δ, the time of a step, > 0 with κΔ < 2; default 0.01.
    public var timeStep: Double

    public init(sigma: Double = 0.2, friction: Double = 0.15, timeStep: Double = 0.01) {
        self.sigma = sigma
        self.friction = friction
        self.timeStep = timeStep
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = OrnsteinUhlenbeck()
        self.init(
            sigma: try container.decode(.sigma, default: d.sigma),
            friction: try container.decode(.friction, default: d.friction),
            timeStep: try container.decode(.timeStep, default: d.timeStep))
    }

    public func validate() throws {
        try require(sigma >= 0 && sigma.isFinite, "sigma", is: sigma, allowed: "a finite number ≥ 0")
        try require(friction > 0 && friction.isFinite, "friction", is: friction, allowed: "above 0")
        try require(
            timeStep > 0 && friction * timeStep < 2, "timeStep", is: timeStep,
            allowed: "above 0, and friction·timeStep below 2")
    }

    public func makeProcess(copies: Int, actionSize: Int, key: NoiseKey) -> any ActionNoiseProcess {
        Process(self, copies: copies, actionSize: actionSize, key: key)
    }

    private final class Process: ActionNoiseProcess {
        private let settings: OrnsteinUhlenbeck
        private let actionSize: Int
        private let key: NoiseKey
        var memory: [Double]

        init(_ settings: OrnsteinUhlenbeck, copies: Int, actionSize: Int, key: NoiseKey) {
            self.settings = settings
            self.actionSize = actionSize
            self.key = key
            memory = [Double](repeating: 0, count: copies * actionSize)
        }

        func add(to actions: inout [Float], step: Int) {
            var variates = [Double](repeating: 0, count: memory.count)
            var span = variates.mutableSpan
            NoiseStream(key: key, step: step, parameter: 0, term: 0).fill(&span, with: .normal)
            let (drift, deviation) = (
                settings.friction * settings.timeStep, settings.sigma * settings.timeStep.squareRoot()
            )
            for i in memory.indices {
                memory[i] += deviation * variates[i] - drift * memory[i]
                actions[i] = min(max(actions[i] + Float(memory[i]), -1), 1)
            }
        }

        func begin(copy: Int) {
            for i in copy * actionSize..<(copy + 1) * actionSize { memory[i] = 0 }
        }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "ornsteinUhlenbeck", summary: "Noise of actions that remembers where it was.",
        equation: "x ← x − κxΔ + σ√Δξ, ξ ~ N(0, 1); a ← clip(a + x, −1, 1)",
        parameters: [
            .init(
                "sigma", "number", default: "0.2", allowed: "≥ 0", unit: "half the action's range/√time",
                "σ; x has the variance σ²/(κ(2 − κΔ))"),
            .init("friction", "number", default: "0.15", allowed: "> 0", unit: "1/time", "κ"),
            .init(
                "timeStep", "number", default: "0.01", allowed: "> 0, κΔ < 2", unit: "time",
                "Δ, the time of a step"),
        ],
        source: "Uhlenbeck and Ornstein 1930; Lillicrap et al. 2016, Continuous Control with Deep "
            + "Reinforcement Learning")
}
