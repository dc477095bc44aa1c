import PerturbedEquations
import TorchNN

extension DoubleDQN {
    private enum CodingKeys: String, CodingKey {
        case hidden, activation, discount, targetRate, targetEvery, batchSize, replayCapacity, learningStarts
        case trainEvery, updates, exploration
    }

    public init(from decoder: any Decoder) throws {
        try readShared(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        exploration = try container.decode(.exploration, default: exploration)
    }

    public func validate() throws {
        try validateShared()
        try (exploration as NamedExploration?).validate(
            for: "doubleDQN", allowed: [EpsilonGreedy.self, NoisyLayers.self, ParameterNoise.self])
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "doubleDQN", summary: "Double deep Q-learning: off-policy, for discrete actions.",
        equation: "L = mean (Q(s, a) − r − γ·Q̄(s′, argmax Q(s′, ·)))²",
        parameters: [
            .hidden("[120, 84]"), .activation("relu"), .discount("0.99"),
            .init(
                "targetRate", "number", default: "1", allowed: "> 0, ≤ 1", "τ of the target network; 1 copies"
            ),
            .count(
                "targetEvery", "500", unit: "steps of a copy", "steps between those of the target network"),
            .count("batchSize", "128", unit: "transitions", "transitions of an update"),
            .count("replayCapacity", "10000", unit: "transitions", "transitions that are remembered"),
            .count("learningStarts", "10000", unit: "environment steps", "steps before the first update"),
            .count("trainEvery", "10", unit: "steps of a copy", "steps between updates"),
            .count("updates", "1", "updates after them"),
            .exploration(
                "epsilonGreedy", "epsilonGreedy, noisyLayers, parameterNoise", "how actions are tried"),
        ],
        source:
            "van Hasselt et al. 2016, Deep Reinforcement Learning with Double Q-learning; defaults of CleanRL"
    )
}
