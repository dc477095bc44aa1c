import Foundation
import ReinforcementLearning
import Torch
import Training

/// Starts and resumes runs of an agent's configuration.
public struct AgentExperiment {
    /// The name that people see: the configuration file's, without its extension.
    public let name: String
    public let config: AgentConfig

    public init(_ config: AgentConfig, name: String) {
        self.name = name
        self.config = config
    }

    /// Makes a new run: checks everything first, and makes its directory only then.
    ///
    /// - Parameter output: where; the configuration's `output`, or `runs/<name>`, unless told. If that exists, the next free
    ///   name is taken, unless it has to be there `exactly`.
    /// - Throws: errors in the configuration, the environment or the file system, before anything is trained.
    public func start(
        output: String? = nil, exactly: Bool = false, reporter: () -> ProgressReporter
    ) throws -> PreparedRun {
        let plan = try plan()
        let place = URL(fileURLWithPath: output ?? config.output ?? "runs/\(name)")
        let directory = try RunDirectory.create(at: place, config: try config.yaml(), exactly: exactly)
        let trainer = try AgentTrainer(
            plan: plan, run: directory, reporter: reporter(), version: Experiment.version)
        return PreparedRun(directory: directory) { try Self.train(trainer, $0) }
    }

    /// Goes on with the run in a directory, from its newest checkpoint that is whole or from the beginning.
    static func resume(
        _ directory: RunDirectory, config: AgentConfig, isLonger: Bool,
        reporter: (_ step: Int) -> ProgressReporter
    ) throws -> PreparedRun {
        let (checkpoint, warnings) = try directory.newestCheckpoint()
        let experiment = AgentExperiment(
            config, name: directory.url.standardizedFileURL.lastPathComponent)
        let plan = try experiment.plan()
        if isLonger { try directory.extend(config: try config.yaml()) }
        let trainer = try AgentTrainer(
            plan: plan, run: directory, reporter: reporter(checkpoint?.manifest.step ?? 0),
            version: Experiment.version, resuming: checkpoint)
        return PreparedRun(directory: directory, warnings: warnings) { try Self.train(trainer, $0) }
    }

    private static func train(_ trainer: AgentTrainer, _ share: Double) throws -> RunEnd {
        switch try trainer.train(pausingAt: Int((share * Double(trainer.totalSteps)).rounded(.up))) {
        case .finished(let result): .finished(result)
        case .paused(let pause): .paused(pause)
        }
    }

    /// Makes the environment and the agent.
    func plan() throws -> AgentPlan {
        Threads.count = config.training.threads
        return try AgentPlan(
            name: name, algorithm: config.agent, environment: config.environment, equation: config.equation,
            groups: config.groups, settings: config.training)
    }
}
