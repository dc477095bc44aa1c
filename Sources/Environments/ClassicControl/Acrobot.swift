import Foundation
import PerturbedEquations

/// Two links, to be swung above a height by the joint between them: Gymnasium's Acrobot-v1.
///
/// Masses and lengths are 1, centres of mass in the middle, moments of inertia 1, g = 9.8; with the torque τ:
///
/// ```
/// d₁ = 3.5 + cos θ₂                    φ₂ = 4.9·cos(θ₁ + θ₂ − π/2)
/// d₂ = 1.25 + ½·cos θ₂                 φ₁ = −½·θ̇₂²·sin θ₂ − θ̇₂·θ̇₁·sin θ₂ + 14.7·cos(θ₁ − π/2) + φ₂
/// θ̈₂ = (τ + d₂/d₁·φ₁ − ½·θ̇₁²·sin θ₂ − φ₂)/(1.25 − d₂²/d₁)      θ̈₁ = −(d₂·θ̈₂ + φ₁)/d₁
/// ```
///
/// by one Runge–Kutta step of fourth order of 0.2 s; then |θ̇₁| ≤ 4π, |θ̇₂| ≤ 9π. Observation: (cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂);
/// θ₁ = 0 hangs down. Actions: 0, 1, 2: τ = −1, 0, 1. Reward: −1 a step, 0 at the end. Terminated: −cos θ₁ − cos(θ₁ + θ₂) > 1.
/// Truncated: after 500 steps. Each element begins uniformly in −0.1 … 0.1, rounded to float32.
///
/// Source: Sutton 1996, Generalization in Reinforcement Learning; Gymnasium 1.4 (the book's equations).
public struct Acrobot: Environment, Hashable {
    public init() {}

    public struct State: Sendable, Codable, Hashable {
        /// (θ₁, θ₂, θ̇₁, θ̇₂), in rad and rad/s.
        public var values: SIMD4<Double>

        public init(_ values: SIMD4<Double>) {
            self.values = values
        }
    }

    private static let largestSpeed1 = 4 * Double.pi
    private static let largestSpeed2 = 9 * Double.pi

    public var observationSpace: BoxSpace {
        BoxSpace(symmetric: [1, 1, 1, 1, Float(Self.largestSpeed1), Float(Self.largestSpeed2)])
    }

    public var actionSpace: ActionSpace { .discrete(3) }
    public var timeLimit: Int? { 500 }

    public func initialState(_ noise: EpisodeNoise) -> State {
        func draw(_ index: Int) -> Double { Double(Float(noise.uniform(in: -0.1...0.1, index))) }
        return State(SIMD4(draw(0), draw(1), draw(2), draw(3)))
    }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(cos(state.values[0]))
        observation[1] = Float(sin(state.values[0]))
        observation[2] = Float(cos(state.values[1]))
        observation[3] = Float(sin(state.values[1]))
        observation[4] = Float(state.values[2])
        observation[5] = Float(state.values[3])
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        let torque = Double(action[0]) - 1
        let dt = 0.2
        let s = state.values
        let k1 = Self.derivative(s, torque)
        let k2 = Self.derivative(s + dt / 2 * k1, torque)
        let k3 = Self.derivative(s + dt / 2 * k2, torque)
        let k4 = Self.derivative(s + dt * k3, torque)
        var next = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        next[0] = Self.wrapped(next[0])
        next[1] = Self.wrapped(next[1])
        next[2] = min(max(next[2], -Self.largestSpeed1), Self.largestSpeed1)
        next[3] = min(max(next[3], -Self.largestSpeed2), Self.largestSpeed2)
        state.values = next
        let isUp = -cos(next[0]) - cos(next[1] + next[0]) > 1
        return Transition(reward: isUp ? 0 : -1, terminated: isUp)
    }

    private static func derivative(_ s: SIMD4<Double>, _ torque: Double) -> SIMD4<Double> {
        let (angle1, angle2, speed1, speed2) = (s[0], s[1], s[2], s[3])
        let (cosine, sine) = (cos(angle2), sin(angle2))
        let d1 = 0.25 + (1.25 + cosine) + 1 + 1
        let d2 = 0.25 + 0.5 * cosine + 1
        let phi2 = 0.5 * 9.8 * cos(angle1 + angle2 - .pi / 2)
        let phi1 =
            -0.5 * (speed2 * speed2) * sine - speed2 * speed1 * sine
            + 1.5 * 9.8 * cos(angle1 - .pi / 2) + phi2
        let acceleration2 =
            (torque + d2 / d1 * phi1 - 0.5 * (speed1 * speed1) * sine - phi2) / (1.25 - d2 * d2 / d1)
        let acceleration1 = -(d2 * acceleration2 + phi1) / d1
        return SIMD4(speed1, speed2, acceleration1, acceleration2)
    }

    /// The angle in −π … π. A step turns by no more than a few times that.
    private static func wrapped(_ angle: Double) -> Double {
        var angle = angle
        while angle > .pi { angle -= 2 * .pi }
        while angle < -.pi { angle += 2 * .pi }
        return angle
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "Acrobot-v1", summary: "Swing two links above a height; 3 actions, up to 500 steps.",
        equation: "s = (θ₁, θ₂, θ̇₁, θ̇₂) ~ U(−0.1, 0.1); r = −1 a step, until −cos θ₁ − cos(θ₁ + θ₂) > 1",
        parameters: [], source: "Sutton 1996, Generalization in Reinforcement Learning; Gymnasium 1.4")
}
