import Environments
import Foundation
import PerturbedEquations
import Training

/// All that an agent's run is made of, built and ready.
public struct AgentPlan {
    /// The run's name, for people.
    public let name: String
    public let algorithm: NamedAlgorithm
    public let environment: NamedEnvironment
    public let settings: AgentTrainingSettings
    public let learner: any Learner

    /// Makes the copies and the agent.
    ///
    /// - Throws: `ConfigurationError` where algorithm, environment and equation do not go together; `EnvironmentError`;
    ///   `TorchError`.
    public init(
        name: String, algorithm: NamedAlgorithm, environment: NamedEnvironment, equation: PerturbedEquation,
        groups: [ParameterGroup] = [], settings: AgentTrainingSettings
    ) throws {
        self.name = name
        self.algorithm = algorithm
        self.environment = environment
        self.settings = settings
        let copies = try within("environment") {
            try makeCopies(of: environment.environment, count: settings.copies, seed: settings.seed)
        }
        learner = try algorithm.algorithm.makeLearner(
            LearnerSetup(
                copies: copies, equation: equation, groups: groups, seed: settings.seed,
                totalSteps: settings.steps))
        for (_, optimizer) in learner.optimizers {
            try optimizer.core.requireGradientsSuffice(of: "an agent's update")
        }
    }
}

extension AgentPlan {
    /// Puts the agent where a checkpoint of its run was made.
    /// - Throws: `CheckpointError` for one of another agent or run.
    public func restore(_ checkpoint: Checkpoint) throws {
        _ = try AgentCheckpoint.restore(learner, settings, from: checkpoint)
    }
}
