// An environment of your own, in one file: a boat that crosses a river in the wind.
//
//     swift run -c release CustomEnvironment
//
// Two policies steer 1,000 copies of it, and the program prints how often each arrives. Wind and starts are addressed, so
// the numbers are the same on every run, machine and thread count.

import Environments
import PerturbedEquations

/// y ← y + speed·a + w, w ~ U(−wind, wind), x ← x + 1: the boat must meet the pier, |y| ≤ 1, on the far bank at x = width.
struct RiverCrossing: Environment {
    /// In steps.
    var width = 20
    /// The greatest push of the wind in a step.
    var wind = 0.5

    /// All that a step changes.
    struct State: Sendable, Codable {
        var x = 0
        var y: Double
    }

    var observationSpace: BoxSpace { BoxSpace(low: [0, -.infinity], high: [Float(width), .infinity]) }
    /// The rudder: how much of the boat's own speed goes sideways.
    var actionSpace: ActionSpace { .continuous(BoxSpace(count: 1, in: -1...1)) }

    func initialState(_ noise: EpisodeNoise) -> State { State(y: noise.uniform(in: -4...4)) }

    func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(state.x)
        observation[1] = Float(state.y)
    }

    func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        state.x += 1
        state.y += 0.5 * Double(action[0]) + noise.uniform(in: -wind...wind)
        let isAcross = state.x == width
        return Transition(reward: isAcross && abs(state.y) <= 1 ? 1 : 0, terminated: isAcross)
    }
}

let policies: [(String, @Sendable (Float) -> Float)] = [
    ("drifting", { _ in 0 }), ("steering to the pier", { y in max(-1, min(1, -2 * y)) }),
]
for (name, policy) in policies {
    let boats = try VectorEnvironment(RiverCrossing(), copies: 1000, seed: 1)
    var actions = [Float](repeating: 0, count: boats.count)
    while boats.progress(of: 0).episode == 0 {
        for boat in 0..<boats.count {
            actions[boat] = policy(boats.observations[boat * boats.observationSpace.count + 1])
        }
        try boats.step(actions)
    }
    print("\(name): \(Int(boats.episodeReturns.reduce(0, +))) of \(boats.count) boats arrive")
}

// An action outside the space is an error that says so.
do {
    try VectorEnvironment(RiverCrossing(), copies: 2, seed: 1).step([0.5, 1.5])
} catch {
    print(error)
}
