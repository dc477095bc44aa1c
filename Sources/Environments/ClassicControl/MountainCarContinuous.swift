import Foundation
import PerturbedEquations

/// The car in a valley with a motor of continuous force: Gymnasium's MountainCarContinuous-v0.
///
/// v ← clip(v + 0.0015·a − 0.0025·cos 3x, ±0.07), x ← clip(x + v, −1.2 … 0.6); at x = −1.2 a speed to the left becomes 0.
///
/// Observation: (x, v). Action: a in −1 … 1. Reward: −0.1·a² a step, and 100 at the goal. Terminated: x ≥ 0.45 and
/// v ≥ `goalVelocity`. Truncated: after 999 steps. Begins at x ~ U(−0.6, −0.4), v = 0.
///
/// Gymnasium keeps the state in float32 from the first step on, and so does this: in float64 a trajectory would leave
/// Gymnasium's.
///
/// Source: Moore 1990, Efficient Memory-Based Learning for Robot Control; Gymnasium 1.4 with NumPy 2.
public struct MountainCarContinuous: Environment, Hashable {
    /// The least speed that counts at the goal, finite.
    public var goalVelocity: Double

    public init(goalVelocity: Double = 0) {
        self.goalVelocity = goalVelocity
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(goalVelocity: try container.decode(.goalVelocity, default: 0))
    }

    public func validate() throws {
        try require(goalVelocity.isFinite, "goalVelocity", is: goalVelocity, allowed: "a finite number")
    }

    public struct State: Sendable, Codable, Hashable {
        /// A float64 number at first, and then one that float32 has.
        public var x: Double
        public var velocity: Float
        public var isFirst: Bool

        public init(x: Double, velocity: Float, isFirst: Bool) {
            self.x = x
            self.velocity = velocity
            self.isFirst = isFirst
        }
    }

    public var observationSpace: BoxSpace { BoxSpace(low: [-1.2, -0.07], high: [0.6, 0.07]) }
    public var actionSpace: ActionSpace { .continuous(BoxSpace(count: 1, in: -1...1)) }
    public var timeLimit: Int? { 999 }

    public func initialState(_ noise: EpisodeNoise) -> State {
        State(x: noise.uniform(in: -0.6...(-0.4)), velocity: 0, isFirst: true)
    }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(state.x)
        observation[1] = state.velocity
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        let angle = state.isFirst ? 3 * state.x : Double(3 * Float(state.x))
        let push = action[0] * 0.0015 - Float(0.0025 * cos(angle))
        var velocity = min(max(state.velocity + push, -0.07), 0.07)
        // Rounded once: the same as a float32 sum where x is a float32 number.
        let x = min(max(Float(state.x + Double(velocity)), -1.2), 0.6)
        if x == -1.2 && velocity < 0 { velocity = 0 }
        state = State(x: Double(x), velocity: velocity, isFirst: false)
        let isThere = x >= 0.45 && velocity >= Float(goalVelocity)
        let force = Double(action[0])
        return Transition(reward: (isThere ? 100 : 0) - force * force * 0.1, terminated: isThere)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "MountainCarContinuous-v0",
        summary: "Swing a car out of a valley; 1 continuous action, up to 999 steps.",
        equation: "v ← v + 0.0015·a − 0.0025·cos 3x; r = −0.1·a² a step, and 100 at x ≥ 0.45",
        parameters: [.goalVelocity],
        source: "Moore 1990, Efficient Memory-Based Learning for Robot Control; Gymnasium 1.4")
}
