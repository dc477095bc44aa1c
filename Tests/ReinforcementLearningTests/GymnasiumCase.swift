import Environments
import Foundation
import PerturbedEquations
import TestSupport

/// One environment beside Gymnasium's: what is told to Python, and how our side is read.
struct GymnasiumCase: Sendable, CustomStringConvertible {
    /// Episodes as Python replays them.
    struct Replay: Codable {
        struct Episode: Codable {
            /// The state that an episode begins in, and where given the state before each step.
            var states: [[Double]?]
            var actions: [[Float]]
        }
        var name: String
        /// Gymnasium's settings.
        var settings: [String: Double]
        var episodes: [Episode]
        /// How many first observations to draw.
        var resets: Int
    }

    /// What an environment shows: for each step observation, reward, terminated, truncated.
    struct Outcome: Codable {
        var episodes: [[[Double]]]
        var starts: [[Double]]
        var low: [Double?]
        var high: [Double?]
        var actions: [Double]
        var timeLimit: Int
    }

    let description: String
    let name: String
    let settings: [String: Double]
    /// After how many steps Python is given our state anew; only the chaotic double pendulum needs it.
    let resynchronise: Int
    /// Plays episodes of at least so many steps.
    let play: @Sendable (_ steps: Int, _ generator: inout SeededGenerator) throws -> (Replay, Outcome)

    init<E: Environment>(
        _ environment: E, settings: [String: Double] = [:], resynchronise: Int = .max,
        state: @escaping @Sendable (E.State) -> [Double], policy: @escaping @Sendable ([Float]) -> Float
    ) {
        let name = E.catalogueEntry.name
        self.name = name
        self.settings = settings
        self.resynchronise = resynchronise
        description = settings.isEmpty ? name : "\(name) \(settings)"
        play = { steps, generator in
            let vector = try VectorEnvironment(environment, copies: 1, seed: generator.next())
            let key = NoiseKey(seed: vector.seed).derived("environments").derived(0)
            var replay = Replay(name: name, settings: settings, episodes: [], resets: 4000)
            var rows: [[[Double]]] = []
            var played = 0
            while played < steps {
                let episode = replay.episodes.count
                let episodeKey = key.derived(UInt64(episode))
                var own = environment.initialState(EpisodeNoise(key: episodeKey, step: 0))
                var said = Replay.Episode(states: [], actions: [])
                var seen: [[Double]] = []
                repeat {
                    let step = said.actions.count
                    said.states.append(step % resynchronise == 0 ? state(own) : nil)
                    // By turns at random and by a policy that does the task.
                    let random = Self.random(vector.actionSpace, &generator)
                    let action = episode % 2 == 0 ? random : policy(Array(vector.observations))
                    said.actions.append([action])
                    _ = environment.step(
                        &own, action: [action].span, noise: EpisodeNoise(key: episodeKey, step: step + 1))
                    try vector.step([action])
                    let ended = vector.terminated[0] || vector.truncated[0]
                    let observation = ended ? Array(vector.finalObservations) : Array(vector.observations)
                    seen.append(
                        observation.map(Double.init)
                            + [
                                vector.rewards[0], vector.terminated[0] ? 1 : 0, vector.truncated[0] ? 1 : 0,
                            ])
                } while vector.progress(of: 0).episode == episode
                played += seen.count
                replay.episodes.append(said)
                rows.append(seen)
            }
            let starts = try VectorEnvironment(
                environment, copies: replay.resets, seed: generator.next())
            let size = starts.observationSpace.count
            let finite = { (x: Float) in x.isFinite ? Double(x) : nil }
            return (
                replay,
                Outcome(
                    episodes: rows,
                    starts: (0..<starts.count).map {
                        starts.observations[$0 * size..<($0 + 1) * size].map(Double.init)
                    },
                    low: vector.observationSpace.low.map(finite),
                    high: vector.observationSpace.high.map(finite),
                    actions: Self.bounds(vector.actionSpace), timeLimit: vector.timeLimit ?? 0)
            )
        }
    }

    private static func random(_ space: ActionSpace, _ generator: inout SeededGenerator) -> Float {
        switch space {
        case .discrete(let count): Float(Int.random(in: 0..<count, using: &generator))
        case .continuous(let box): Float.random(in: box.low[0]...box.high[0], using: &generator)
        }
    }

    /// The number of choices, or the bounds.
    private static func bounds(_ space: ActionSpace) -> [Double] {
        switch space {
        case .discrete(let count): [Double(count)]
        case .continuous(let box): [Double(box.low[0]), Double(box.high[0])]
        }
    }

    static let all: [GymnasiumCase] = [
        cartPole(CartPole()), cartPole(CartPole(suttonBartoReward: true), ["sutton_barto_reward": 1]),
        GymnasiumCase(
            Acrobot(), resynchronise: 10, state: { state in (0..<4).map { state.values[$0] } },
            policy: { $0[4] > 0 ? 0 : 2 }),
        mountainCar(MountainCar()), mountainCar(MountainCar(goalVelocity: 0.04), ["goal_velocity": 0.04]),
        mountainCar(MountainCarContinuous()),
        mountainCar(MountainCarContinuous(goalVelocity: 0.04), ["goal_velocity": 0.04]),
        pendulum(Pendulum()), pendulum(Pendulum(gravity: 9.81), ["g": 9.81]),
    ]

    private static func cartPole(_ environment: CartPole, _ settings: [String: Double] = [:]) -> Self {
        Self(
            environment, settings: settings, state: { [$0.x, $0.speed, $0.angle, $0.angularSpeed] },
            policy: { 0.1 * $0[0] + 0.3 * $0[1] + 3 * $0[2] + $0[3] > 0 ? 1 : 0 })
    }

    private static func mountainCar(_ environment: MountainCar, _ settings: [String: Double] = [:]) -> Self {
        Self(
            environment, settings: settings, state: { [$0.x, $0.velocity] },
            policy: { $0[1] >= 0 ? 2 : 0 })
    }

    private static func mountainCar(
        _ environment: MountainCarContinuous, _ settings: [String: Double] = [:]
    ) -> Self {
        Self(
            environment, settings: settings, state: { [$0.x, Double($0.velocity)] },
            policy: { $0[1] >= 0 ? 1 : -1 })
    }

    private static func pendulum(_ environment: Pendulum, _ settings: [String: Double] = [:]) -> Self {
        Self(
            environment, settings: settings, state: { [$0.angle, $0.speed] },
            policy: { $0[2] > 0 ? 2 : -2 })
    }
}
