import PerturbedEquations

/// Now and then any action, evenly drawn, instead of the best one.
///
/// With probability ε(t) each action is as likely as any other, the best one included; t counts the steps of a copy.
///
/// Source: Watkins 1989, Learning from Delayed Rewards; the default goes from 1 to 0.05 as in CleanRL's DQN, over the run.
public struct EpsilonGreedy: Exploration {
    /// ε, 0 … 1; default a line from 1 to 0.05 over the run.
    public var epsilon: Scheduled

    public init(epsilon: Scheduled = Scheduled(LinearSchedule(from: 1, to: 0.05))) {
        self.epsilon = epsilon
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(epsilon: try container.decode(.epsilon, default: EpsilonGreedy().epsilon))
    }

    public func validate() throws {
        try epsilon.require("epsilon", in: 0...1, allowed: "0 to 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "epsilonGreedy", summary: "Now and then any action instead of the best one.",
        equation: "a = argmax Q with probability 1 − ε(t), else any, evenly drawn",
        parameters: [
            .init(
                "epsilon", "schedule", default: "{linear: {from: 1, to: 0.05}}", allowed: "0 … 1",
                "ε, over the steps of a copy")
        ],
        source: "Watkins 1989, Learning from Delayed Rewards")
}
