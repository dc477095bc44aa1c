import Environments
import PerturbedEquations
import TorchNN

/// An algorithm that learns from a replay memory, by a target network: the settings that all of them have, each with defaults of
/// its own.
protocol ReplayAlgorithm: ActionSpecific {
    var hidden: [Int] { get set }
    var activation: Activation { get set }
    var discount: Double { get set }
    var targetRate: Double { get set }
    var targetEvery: Int { get set }
    var batchSize: Int { get set }
    var replayCapacity: Int { get set }
    var learningStarts: Int { get set }
    var trainEvery: Int { get set }
    var updates: Int { get set }
}

private enum SharedKeys: String, CodingKey {
    case hidden, activation, discount, targetRate, targetEvery, batchSize, replayCapacity, learningStarts
    case trainEvery, updates
}

extension ReplayAlgorithm {
    /// Reads the shared settings; those that are left out stay as they are.
    mutating func readShared(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SharedKeys.self)
        hidden = try container.decode(.hidden, default: hidden)
        activation = try container.decode(.activation, default: activation)
        discount = try container.decode(.discount, default: discount)
        targetRate = try container.decode(.targetRate, default: targetRate)
        targetEvery = try container.decode(.targetEvery, default: targetEvery)
        batchSize = try container.decode(.batchSize, default: batchSize)
        replayCapacity = try container.decode(.replayCapacity, default: replayCapacity)
        learningStarts = try container.decode(.learningStarts, default: learningStarts)
        trainEvery = try container.decode(.trainEvery, default: trainEvery)
        updates = try container.decode(.updates, default: updates)
    }

    func validateShared() throws {
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
    }

    /// Refuses settings that are out of range, or that do not go with the environment or the length of a run.
    func validate(for setup: LearnerSetup) throws {
        try Self.requireActions(of: setup.copies)
        let path = "agent.\(Self.catalogueEntry.name)"
        try within(path) { try validate() }
        try require(
            learningStarts < setup.totalSteps, "\(path).learningStarts", is: learningStarts,
            allowed: "fewer than the run's \(setup.totalSteps) steps, or nothing is learnt")
    }

    /// Steps of each copy in a run.
    func copySteps(of setup: LearnerSetup) -> Int {
        (setup.totalSteps + setup.copies.count - 1) / setup.copies.count
    }

    /// Updates in a run: the horizon of the optimizers' schedules.
    func updateCount(of setup: LearnerSetup) -> Int {
        max(0, copySteps(of: setup) - learningStarts / setup.copies.count) / trainEvery * updates
    }
}
