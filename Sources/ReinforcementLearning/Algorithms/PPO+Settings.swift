import Environments
import PerturbedEquations
import TorchNN

extension PPO {
    public func validate() throws {
        func whole(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            try require(
                range.contains(value), name, is: value,
                allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        func atLeastZero(_ name: String, _ value: Double) throws {
            try require(value >= 0 && value.isFinite, name, is: value, allowed: "a finite number ≥ 0")
        }
        try whole("rolloutLength", rolloutLength, 1...1_000_000)
        try whole("epochs", epochs, 1...10_000)
        try whole("minibatches", minibatches, 1...1_000_000)
        try LearningSettings.discount(discount)
        try require((0...1).contains(lambda), "lambda", is: lambda, allowed: "0 to 1")
        try require(clip > 0 && clip < 1, "clip", is: clip, allowed: "more than 0, less than 1")
        try atLeastZero("entropyCoefficient", entropyCoefficient)
        try atLeastZero("valueCoefficient", valueCoefficient)
        if let targetKL {
            try require(
                targetKL > 0 && targetKL.isFinite, "targetKL", is: targetKL, allowed: "a finite number > 0")
        }
        try atLeastZero("robustPolicy", robustPolicy)
        try exploration.validate(for: "ppo", allowed: [StateDependentExploration.self])
        try require(
            robustPolicy == 0 || exploration == nil, "robustPolicy", is: robustPolicy,
            allowed: "0 where exploration is gSDE: the two cannot be combined")
        try within("rollbackOn") { try rollbackOn?.validate() }
        for size in hidden { try whole("hidden", size, 1...65_536) }
    }

    /// Refuses settings that do not go with an environment.
    func validate(for copies: VectorEnvironment) throws {
        try validate()
        let count = rolloutLength * copies.count
        try require(
            minibatches <= count, "minibatches", is: minibatches,
            allowed: "at most \(count), the \(rolloutLength) steps of a rollout in \(copies.count) copies")
        if case .discrete = copies.actionSpace {
            try require(
                robustPolicy == 0, "robustPolicy", is: robustPolicy,
                allowed: "0 with \(copies.name), whose actions are discrete")
            try require(
                exploration == nil, "exploration", is: "gSDE",
                allowed: "none with \(copies.name), whose actions are discrete")
        }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "ppo",
        summary: "Proximal policy optimization; with robustPolicy, RPO; with gSDE. Discrete and continuous.",
        equation: "L = −mean min(ρA, clip(ρ, 1−ε, 1+ε)A) + c_v·½·mean (V−R)² − c_e·H; ρ = π(a|s)/π_old(a|s)",
        parameters: [
            .init(
                "rolloutLength", "integer", default: "128", allowed: "1 to 1000000", unit: "steps",
                "T, steps of each copy between updates"),
            .init("epochs", "integer", default: "4", allowed: "1 to 10000", "passes over a rollout"),
            .init(
                "minibatches", "integer", default: "4", allowed: "1 to the rollout's transitions",
                "parts of a rollout, each one step"),
            .discount("0.99"),
            .init("lambda", "number", default: "0.95", allowed: "0 to 1", "λ of the advantages"),
            .init("clip", "number", default: "0.2", allowed: "more than 0, less than 1", "ε"),
            .init(
                "clipValueLoss", "boolean", default: "true", allowed: "true, false",
                "whether the value's change is clipped to ε too"),
            .init("entropyCoefficient", "number", default: "0.01", allowed: "≥ 0", "c_e"),
            .init("valueCoefficient", "number", default: "0.5", allowed: "≥ 0", "c_v"),
            .init(
                "targetKL", "number", default: "none", allowed: "> 0", unit: "nats",
                "ends an update after an epoch whose approximate KL is larger"),
            .init(
                "normaliseAdvantages", "boolean", default: "true", allowed: "true, false",
                "brings A to mean 0 and deviation 1 in each minibatch"),
            .init(
                "normaliseObservations", "boolean", default: "false", allowed: "true, false",
                "by running mean and variance, clipped to ±10"),
            .init(
                "normaliseRewards", "boolean", default: "false", allowed: "true, false",
                "by the running deviation of the discounted return, clipped to ±10"),
            .init(
                "bootstrapTruncated", "boolean", default: "true", allowed: "true, false",
                "whether a truncated episode goes on in V"),
            .init(
                "robustPolicy", "number", default: "0", allowed: "≥ 0", unit: "the actions'",
                "α of RPO: U(−α, α) on the mean of continuous actions, in the update only"),
            .exploration(
                "the policy's own", "gSDE",
                "noise that is a function of the state, in the place of a σ for all"),
            .init(
                "rollbackOn", "mapping", default: "none",
                allowed: "{approximateKL: > 0, valueLoss: > 1, cut: 0 to 1, attempts: ≥ 0}",
                "takes an update back whose KL (nats) or value loss (factor over the median) is larger"),
            .init(
                "hidden", "list of integers", default: "[64, 64]", allowed: "1 to 65536 each",
                "hidden layers of actor and critic"),
            .activation("tanh"),
        ],
        source:
            "Schulman et al. 2017, Proximal Policy Optimization Algorithms; Rahman and Xue 2022, Robust Policy "
            + "Optimization in Deep Reinforcement Learning")
}
