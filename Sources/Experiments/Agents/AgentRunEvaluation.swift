import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import Torch
import Training

/// A run's agent, ready to be measured and shown without exploration.
///
/// Nothing of the run changes, and no lock is taken: a run that still learns is measured by its newest checkpoint.
public final class AgentRunEvaluation {
    private let plan: AgentPlan
    private let directory: URL
    /// Environment steps that the agent has learnt from.
    public let step: Int
    /// What the user should know of the loading.
    public let warnings: [String]

    /// Whether a directory is the run of an agent.
    public static func isAgent(_ run: URL) -> Bool {
        guard let text = try? BaseConfiguration.text(of: run.appendingPathComponent("config.yaml")),
            let node = try? ConfigNode(yaml: text)
        else { return false }
        return node["environment"] != nil
    }

    /// Opens a run by its newest checkpoint that is whole, which for a finished run is its end.
    /// - Throws: `FileError` where no run is there, or it has no checkpoint; ``ConfigError``, `CheckpointError`.
    public init(run url: URL) throws {
        directory = url
        let config = try AgentConfig(contentsOf: url.appendingPathComponent("config.yaml"))
        let store = CheckpointStore(directory: url.appendingPathComponent("checkpoints"))
        let (checkpoint, damaged) = try store.latest()
        warnings = damaged.map {
            "\($0.message); measured by the one of step \(checkpoint.manifest.step) instead"
        }
        plan = try AgentExperiment(config, name: url.standardizedFileURL.lastPathComponent).plan()
        try plan.restore(checkpoint)
        step = checkpoint.manifest.step
    }

    /// Plays episodes.
    /// - Throws: `EnvironmentError`, `TorchError`.
    public func report(episodes: Int, seed: UInt64) throws -> AgentEvaluationReport {
        AgentEvaluationReport(
            run: directory.relativePath, name: plan.name, environment: plan.environment.name,
            algorithm: plan.algorithm.name, step: step, seed: seed,
            evaluation: try AgentEvaluation.play(
                plan.learner, in: plan.environment.environment, episodes: episodes, seed: seed))
    }

    /// Draws an episode as an animated picture.
    ///
    /// - Returns: its return and its length.
    /// - Throws: `ConfigurationError` where the environment cannot be drawn; `FileError` where the file cannot be written, or
    ///   there is nothing to encode it with.
    public func render(to file: URL, seed: UInt64) throws -> (total: Double, steps: Int) {
        guard let environment = plan.environment.environment as? any DrawnEnvironment else {
            throw ConfigurationError(
                "is \(plan.environment.name), which cannot be drawn; allowed with --render: environments that conform to "
                    + "DrawnEnvironment", path: "environment")
        }
        return try film(environment, file, seed)
    }

    private func film(
        _ environment: some DrawnEnvironment, _ file: URL, _ seed: UInt64
    ) throws -> (total: Double, steps: Int) {
        let gif = try GIFFile(file, framesPerSecond: environment.framesPerSecond)
        let learner = plan.learner
        let outcome = try environment.play(seed: seed, width: GIFFile.width) { observation, action in
            var span = action.mutableSpan
            try learner.act(on: observation.span, count: 1, into: &span)
        } frame: {
            try gif.add($0)
        }
        try gif.finish()
        return outcome
    }
}
