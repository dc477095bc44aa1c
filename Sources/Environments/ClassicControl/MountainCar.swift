import Foundation
import PerturbedEquations

/// A car in a valley that must swing to leave it: Gymnasium's MountainCar-v0.
///
/// v ← clip(v + 0.001·(a − 1) − 0.0025·cos 3x, ±0.07), x ← clip(x + v, −1.2 … 0.6); at x = −1.2 a speed to the left becomes 0.
///
/// Observation: (x, v). Actions: 0, 1, 2: to the left, none, to the right. Reward: −1 a step. Terminated: x ≥ 0.5 and
/// v ≥ `goalVelocity`. Truncated: after 200 steps. Begins at x ~ U(−0.6, −0.4), v = 0.
///
/// Source: Moore 1990, Efficient Memory-Based Learning for Robot Control; Gymnasium 1.4.
public struct MountainCar: Environment, Hashable {
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
        public var x, velocity: Double

        public init(x: Double, velocity: Double) {
            self.x = x
            self.velocity = velocity
        }
    }

    public var observationSpace: BoxSpace { BoxSpace(low: [-1.2, -0.07], high: [0.6, 0.07]) }
    public var actionSpace: ActionSpace { .discrete(3) }
    public var timeLimit: Int? { 200 }

    public func initialState(_ noise: EpisodeNoise) -> State {
        State(x: noise.uniform(in: -0.6...(-0.4)), velocity: 0)
    }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(state.x)
        observation[1] = Float(state.velocity)
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        let push = (Double(action[0]) - 1) * 0.001 + cos(3 * state.x) * -0.0025
        state.velocity = min(max(state.velocity + push, -0.07), 0.07)
        state.x = min(max(state.x + state.velocity, -1.2), 0.6)
        if state.x == -1.2 && state.velocity < 0 { state.velocity = 0 }
        return Transition(reward: -1, terminated: state.x >= 0.5 && state.velocity >= goalVelocity)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "MountainCar-v0", summary: "Swing a car out of a valley; 3 actions, up to 200 steps.",
        equation: "v ← v + 0.001(a − 1) − 0.0025·cos 3x; r = −1 a step, until x ≥ 0.5",
        parameters: [.goalVelocity],
        source: "Moore 1990, Efficient Memory-Based Learning for Robot Control; Gymnasium 1.4")
}

extension CatalogueEntry.Parameter {
    static let goalVelocity = Self(
        "goalVelocity", "number", default: "0", allowed: "finite", unit: "the velocity's unit",
        "the least speed that counts at the goal")
}
