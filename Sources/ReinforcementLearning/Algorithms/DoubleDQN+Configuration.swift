import PerturbedEquations
import TorchNN

extension DoubleDQN {
    private enum CodingKeys: String, CodingKey {
        case hidden, activation, discount, targetRate, targetEvery, batchSize, replayCapacity, learningStarts
        case trainEvery, updates, exploration
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = DoubleDQN()
        hidden = try container.decode(.hidden, default: d.hidden)
        activation = try container.decode(.activation, default: d.activation)
        discount = try container.decode(.discount, default: d.discount)
        targetRate = try container.decode(.targetRate, default: d.targetRate)
        targetEvery = try container.decode(.targetEvery, default: d.targetEvery)
        batchSize = try container.decode(.batchSize, default: d.batchSize)
        replayCapacity = try container.decode(.replayCapacity, default: d.replayCapacity)
        learningStarts = try container.decode(.learningStarts, default: d.learningStarts)
        trainEvery = try container.decode(.trainEvery, default: d.trainEvery)
        updates = try container.decode(.updates, default: d.updates)
        exploration = try container.decode(.exploration, default: d.exploration)
    }

    public func validate() throws {
        try LearningSettings.hidden(hidden)
        try LearningSettings.discount(discount)
        try require(
            targetRate > 0 && targetRate <= 1, "targetRate", is: targetRate, allowed: "above 0, at most 1")
        for (name, count) in [
            ("targetEvery", targetEvery), ("batchSize", batchSize), ("replayCapacity", replayCapacity),
            ("learningStarts", learningStarts), ("trainEvery", trainEvery), ("updates", updates),
        ] {
            try LearningSettings.count(name, count)
        }
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
