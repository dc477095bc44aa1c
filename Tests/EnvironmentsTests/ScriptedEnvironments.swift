import Environments

/// Walks on a line by noise and action, and ends where `ends` says: the episode's noise decides when.
struct NoisyWalk: Environment {
    var timeLimit: Int? = 7

    struct State: Sendable, Codable {
        var x: Double
    }

    var observationSpace: BoxSpace { BoxSpace(count: 2, in: -Float.infinity...Float.infinity) }
    var actionSpace: ActionSpace { .continuous(BoxSpace(low: [-1, 0], high: [1, 3])) }

    func initialState(_ noise: EpisodeNoise) -> State { State(x: noise.uniform()) }

    func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        observation[0] = Float(state.x)
        observation[1] = Float(-state.x)
    }

    func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        state.x += Double(action[0]) + Double(action[1]) + noise.uniform(in: -0.5...0.5)
        return Transition(reward: state.x, terminated: noise.uniform(1) < 0.2)
    }
}

/// Gives a number that it must not give, at one step of one episode that a draw of the noise picks.
struct Faulty: Environment {
    enum Place: String, Codable { case observation, reward, start }
    var place: Place
    var value: Double

    var observationSpace: BoxSpace { BoxSpace(count: 3, in: -1...1) }
    var actionSpace: ActionSpace { .discrete(2) }

    func initialState(_ noise: EpisodeNoise) -> Int { 0 }

    func observe(_ step: Int, into observation: inout MutableSpan<Float>) {
        for i in observation.indices { observation[i] = 0 }
        if place == .observation && step == 2 || place == .start { observation[1] = Float(value) }
    }

    func step(_ step: inout Int, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        step += Int(action[0])
        return Transition(reward: place == .reward && step == 2 ? value : 0)
    }
}

/// Has the spaces that it is told.
struct Spaces: Environment {
    var observationSpace = BoxSpace(count: 1, in: 0...1)
    var actionSpace = ActionSpace.discrete(2)
    var timeLimit: Int?

    init(
        observations: BoxSpace = BoxSpace(count: 1, in: 0...1), actions: ActionSpace = .discrete(2),
        timeLimit: Int? = nil
    ) {
        observationSpace = observations
        actionSpace = actions
        self.timeLimit = timeLimit
    }

    init(from decoder: any Decoder) throws { self.init() }
    func encode(to encoder: any Encoder) throws {}

    func initialState(_ noise: EpisodeNoise) -> Int { 0 }
    func observe(_ state: Int, into observation: inout MutableSpan<Float>) { observation[0] = 0 }
    func step(_ state: inout Int, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        Transition(reward: 0)
    }
}

/// Actions of a space, from a generator.
func randomActions(
    of space: ActionSpace, copies: Int, using generator: inout some RandomNumberGenerator
) -> [Float] {
    (0..<copies).flatMap { _ -> [Float] in
        switch space {
        case .discrete(let count): [Float(Int.random(in: 0..<count, using: &generator))]
        case .continuous(let box): zip(box.low, box.high).map { Float.random(in: $0...$1, using: &generator) }
        }
    }
}
