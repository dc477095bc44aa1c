import Foundation
import PerturbedEquations

/// A pendulum to be swung up and held there: Gymnasium's Pendulum-v1.
///
/// θ̇ ← clip(θ̇ + (3g/2·sin θ + 3u)·0.05, ±8), θ ← θ + 0.05·θ̇, for length and mass 1.
///
/// Observation: (cos θ, sin θ, θ̇); θ = 0 is upright. Action: the torque u in −2 … 2 N·m. Reward: −(θ² + 0.1·θ̇² + 0.001·u²) of the
/// state before, θ in −π …< π: 0 at best, −16.3 at worst. Never terminated. Truncated: after 200 steps. Begins at θ ~ U(−π, π),
/// θ̇ ~ U(−1, 1).
///
/// Source: Gymnasium 1.4.
public struct Pendulum: Environment, Hashable {
    /// g in m/s², finite.
    public var gravity: Double

    public init(gravity: Double = 10) {
        self.gravity = gravity
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(gravity: try container.decode(.gravity, default: 10))
    }

    public func validate() throws {
        try require(abs(gravity) <= 1e6, "gravity", is: gravity, allowed: "-1e6 to 1e6")
    }

    public struct State: Sendable, Codable, Hashable {
        /// θ in rad, not wrapped, and its speed in rad/s.
        public var angle, speed: Double

        public init(angle: Double, speed: Double) {
            self.angle = angle
            self.speed = speed
        }
    }

    public var observationSpace: BoxSpace { BoxSpace(symmetric: [1, 1, 8]) }
    public var actionSpace: ActionSpace { .continuous(BoxSpace(count: 1, in: -2...2)) }
    public var timeLimit: Int? { 200 }

    public func initialState(_ noise: EpisodeNoise) -> State {
        State(angle: noise.uniform(in: -Double.pi...Double.pi), speed: noise.uniform(in: -1...1, 1))
    }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(cos(state.angle))
        observation[1] = Float(sin(state.angle))
        observation[2] = Float(state.speed)
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        // NumPy squares and scales the float32 torque in float32.
        let torque = action[0]
        let angle = Self.wrapped(state.angle)
        let cost = angle * angle + 0.1 * (state.speed * state.speed) + Double(0.001 * (torque * torque))
        let speed =
            state.speed + (3 * gravity / 2 * sin(state.angle) + Double(3 * torque)) * 0.05
        state.speed = min(max(speed, -8), 8)
        state.angle += state.speed * 0.05
        return Transition(reward: -cost)
    }

    /// The angle in −π …< π: ((x + π) mod 2π) − π, with the remainder that is not negative.
    private static func wrapped(_ angle: Double) -> Double {
        let remainder = (angle + .pi).truncatingRemainder(dividingBy: 2 * .pi)
        return (remainder < 0 ? remainder + 2 * .pi : remainder) - .pi
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "Pendulum-v1", summary: "Swing up a pendulum and hold it; 1 continuous action, 200 steps.",
        equation: "θ̇ ← θ̇ + 0.05(3g/2·sin θ + 3u), |θ̇| ≤ 8; r = −(θ² + 0.1·θ̇² + 0.001·u²)",
        parameters: [
            .init("gravity", "number", default: "10", allowed: "-1000000 … 1000000", unit: "m/s²", "g")
        ],
        source: "Gymnasium 1.4, Pendulum-v1")
}
