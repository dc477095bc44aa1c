import Foundation
import PerturbedEquations

/// A pole on a cart, to be kept upright by pushes to the left and the right: Gymnasium's CartPole-v1.
///
/// With the force F = ±10 N, masses m_c = 1 and m_p = 0.1 kg, half the pole's length l = 0.5 m, M = m_c + m_p, g = 9.8 m/s²:
///
/// ```
/// u = (F + m_p·l·θ̇²·sin θ)/M      θ̈ = (g·sin θ − u·cos θ)/(l·(4/3 − m_p·cos²θ/M))      ẍ = u − m_p·l·θ̈·cos θ/M
/// ```
///
/// by Euler's method, 0.02 s a step. Observation: (x, ẋ, θ, θ̇), in m, m/s, rad, rad/s. Actions: 0, 1: left, right. Reward: 1 a
/// step. Terminated: |x| > 2.4 or |θ| > 12°. Truncated: after 500 steps. Each element begins uniformly in −0.05 … 0.05.
///
/// Source: Barto, Sutton and Anderson 1983, Neuronlike Adaptive Elements That Can Solve Difficult Learning Control Problems;
/// Gymnasium 1.4.
public struct CartPole: Environment, Hashable {
    /// Whether the reward is that of Sutton and Barto: 0 a step, and −1 where the pole falls or the cart leaves.
    public var suttonBartoReward: Bool

    public init(suttonBartoReward: Bool = false) {
        self.suttonBartoReward = suttonBartoReward
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(suttonBartoReward: try container.decode(.suttonBartoReward, default: false))
    }

    public struct State: Sendable, Codable, Hashable {
        /// The cart's place in m, and its speed in m/s.
        public var x, speed: Double
        /// The pole's angle from upright in rad, and its speed in rad/s.
        public var angle, angularSpeed: Double

        public init(x: Double, speed: Double, angle: Double, angularSpeed: Double) {
            self.x = x
            self.speed = speed
            self.angle = angle
            self.angularSpeed = angularSpeed
        }
    }

    private static let largestAngle = 12 * 2 * Double.pi / 360
    private static let largestX = 2.4

    public var observationSpace: BoxSpace {
        BoxSpace(symmetric: [Float(Self.largestX * 2), .infinity, Float(Self.largestAngle * 2), .infinity])
    }

    public var actionSpace: ActionSpace { .discrete(2) }
    public var timeLimit: Int? { 500 }

    public func initialState(_ noise: EpisodeNoise) -> State {
        func draw(_ index: Int) -> Double { noise.uniform(in: -0.05...0.05, index) }
        return State(x: draw(0), speed: draw(1), angle: draw(2), angularSpeed: draw(3))
    }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(state.x)
        observation[1] = Float(state.speed)
        observation[2] = Float(state.angle)
        observation[3] = Float(state.angularSpeed)
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        let (poleMass, halfLength, gravity, tau) = (0.1, 0.5, 9.8, 0.02)
        let totalMass = poleMass + 1
        let massLength = poleMass * halfLength
        let force: Double = action[0] == 1 ? 10 : -10
        let (cosine, sine) = (cos(state.angle), sin(state.angle))

        let push = (force + massLength * (state.angularSpeed * state.angularSpeed) * sine) / totalMass
        let angularAcceleration =
            (gravity * sine - cosine * push)
            / (halfLength * (4.0 / 3.0 - poleMass * (cosine * cosine) / totalMass))
        let acceleration = push - massLength * angularAcceleration * cosine / totalMass

        state.x += tau * state.speed
        state.speed += tau * acceleration
        state.angle += tau * state.angularSpeed
        state.angularSpeed += tau * angularAcceleration

        let isOver = abs(state.x) > Self.largestX || abs(state.angle) > Self.largestAngle
        return Transition(reward: suttonBartoReward ? (isOver ? -1 : 0) : 1, terminated: isOver)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "CartPole-v1", summary: "Keep a pole upright on a cart; 2 actions, up to 500 steps.",
        equation: "s = (x, ẋ, θ, θ̇) ~ U(−0.05, 0.05); r = 1 a step, until |x| > 2.4 or |θ| > 12°",
        parameters: [
            .init(
                "suttonBartoReward", "boolean", default: "false", allowed: "true, false",
                "rewards 0 a step and −1 at the end instead")
        ],
        source: "Barto, Sutton and Anderson 1983, Neuronlike Adaptive Elements; Gymnasium 1.4")
}
