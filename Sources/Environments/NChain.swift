import PerturbedEquations

/// A chain of N states with a small reward near the start and a large one at the far end: a test of deep exploration.
///
/// In state s₁ (the left end) going left gives 0.001; in s_N (the right end) going right gives 1; nothing else gives anything.
/// An episode begins in s₂ and is terminated after N + 8 steps, so the best return is 10: N − 2 steps to get there, and the
/// other ten at the end. A random walk gets there in about 1 of 2^(N−2) episodes of that many steps.
///
/// Observation: the thermometer (1 for each state up to the present one, then 0), N numbers. Actions: 0, 1: left, right.
///
/// Source: Osband et al. 2016, Deep Exploration via Bootstrapped DQN; as in Touati et al. 2020, Randomized Value Functions via
/// Multiplicative Normalizing Flows, and their code.
public struct NChain: Environment, Hashable {
    /// N, 3 … 10000.
    public var length: Int

    public init(length: Int = 30) {
        self.length = length
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(length: try container.decode(.length, default: 30))
    }

    public func validate() throws {
        try require((3...10_000).contains(length), "length", is: length, allowed: "3 to 10000")
    }

    public struct State: Sendable, Codable, Hashable {
        /// From 0, the left end.
        public var place: Int
        public var steps: Int

        public init(place: Int, steps: Int) {
            self.place = place
            self.steps = steps
        }
    }

    public var observationSpace: BoxSpace { BoxSpace(count: length, in: 0...1) }
    public var actionSpace: ActionSpace { .discrete(2) }

    public func initialState(_ noise: EpisodeNoise) -> State { State(place: 1, steps: 0) }

    public func observe(_ state: State, into observation: inout MutableSpan<Float>) {
        for i in observation.indices { observation[i] = i <= state.place ? 1 : 0 }
    }

    public func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        var reward = 0.0
        if action[0] == 1 {
            if state.place == length - 1 { reward = 1 } else { state.place += 1 }
        } else {
            if state.place == 0 { reward = 0.001 } else { state.place -= 1 }
        }
        state.steps += 1
        return Transition(reward: reward, terminated: state.steps >= length + 8)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "NChain", summary: "A chain whose far end is worth the walk; 2 actions, N + 8 steps.",
        equation: "from s₂; r = 0.001 for left in s₁, 1 for right in s_N, else 0; the best return is 10",
        parameters: [.init("length", "integer", default: "30", allowed: "3 … 10000", "N")],
        source:
            "Osband et al. 2016, Deep Exploration via Bootstrapped DQN; Touati et al. 2020, Randomized Value "
            + "Functions via Multiplicative Normalizing Flows")
}
