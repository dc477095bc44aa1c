import PerturbedEquations
import TorchNN

extension SAC {
    private enum CodingKeys: String, CodingKey {
        case hidden, activation, discount, targetRate, targetEvery, batchSize, replayCapacity, learningStarts
        case trainEvery, updates, policyEvery, temperature, targetEntropy, exploration
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = SAC()
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
        policyEvery = try container.decode(.policyEvery, default: d.policyEvery)
        temperature = try container.decodeIfPresent(Double.self, forKey: .temperature)
        targetEntropy = try container.decodeIfPresent(Double.self, forKey: .targetEntropy)
        exploration = try container.decodeIfPresent(NamedExploration.self, forKey: .exploration)
    }

    public func validate() throws {
        try LearningSettings.hidden(hidden)
        try LearningSettings.discount(discount)
        try require(
            targetRate > 0 && targetRate <= 1, "targetRate", is: targetRate, allowed: "above 0, at most 1")
        for (name, count) in [
            ("targetEvery", targetEvery), ("batchSize", batchSize), ("replayCapacity", replayCapacity),
            ("learningStarts", learningStarts), ("trainEvery", trainEvery), ("updates", updates),
            ("policyEvery", policyEvery),
        ] {
            try LearningSettings.count(name, count)
        }
        if let temperature {
            try require(
                temperature > 0 && temperature.isFinite, "temperature", is: temperature,
                allowed: "a finite number above 0, or nothing: it is learnt then")
        }
        if let targetEntropy {
            try require(
                targetEntropy.isFinite, "targetEntropy", is: targetEntropy, allowed: "a finite number")
        }
        try exploration.validate(
            for: "sac", allowed: [ParameterNoise.self, StateDependentExploration.self], orActionNoise: true)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "sac",
        summary: "Soft actor-critic: off-policy, for continuous actions, as random as its returns allow.",
        equation: "L_π = mean(α·log π(ã|s) − min(Q₁, Q₂)(s, ã)); Q by r + γ(min Q̄(s′, a′) − α·log π(a′|s′))",
        parameters: [
            .hidden("[256, 256]"), .activation("relu"), .discount("0.99"),
            .init("targetRate", "number", default: "0.005", allowed: "> 0, ≤ 1", "τ of the target critics"),
            .count(
                "targetEvery", "1", unit: "updates", "updates of the critics between steps of the targets"),
            .count("batchSize", "256", unit: "transitions", "transitions of an update"),
            .count("replayCapacity", "1000000", unit: "transitions", "transitions that are remembered"),
            .count(
                "learningStarts", "5000", unit: "environment steps",
                "steps with evenly drawn actions, before the first update"),
            .count("trainEvery", "1", unit: "steps of a copy", "steps between updates"),
            .count("updates", "1", "updates of the critics after them"),
            .count(
                "policyEvery", "2", unit: "updates",
                "every so many updates of the critics, actor and α are updated as often"),
            .init("temperature", "number", default: "learnt", allowed: "> 0", "α, fixed"),
            .init(
                "targetEntropy", "number", default: "−(numbers of an action)", allowed: "finite",
                unit: "nats", "H̄ of the learnt temperature"),
            .exploration(
                "the policy's own", "parameterNoise, ornsteinUhlenbeck, gSDE",
                "instead of, or in addition to, the policy's own randomness"),
        ],
        source: "Haarnoja et al. 2018, Soft Actor-Critic Algorithms and Applications; defaults of CleanRL")
}
