import BayesianLearning
import Foundation
import PerturbedEquations
import PosteriorSampling
import Torch
import Training

/// Starts and resumes runs of a sampling configuration.
public struct SamplingExperiment {
    /// The name that people see: the configuration file's, without its extension.
    public let name: String
    public let config: SamplingConfig

    public init(_ config: SamplingConfig, name: String) {
        self.name = name
        self.config = config.resolved(threads: 1)
    }

    /// Makes a new run: checks everything first, and makes its directory only then.
    ///
    /// - Parameter output: where; the configuration's `output`, or `runs/<name>`, unless told. If that exists, the next free
    ///   name is taken, unless it has to be there `exactly`.
    /// - Throws: errors in the configuration, the data or the file system, before anything is sampled.
    public func start(
        output: String? = nil, exactly: Bool = false, reporter: () -> ProgressReporter
    ) throws -> PreparedRun {
        let (plan, warnings) = try plan()
        let place = URL(fileURLWithPath: output ?? config.output ?? "runs/\(name)")
        let directory = try RunDirectory.create(at: place, config: try config.yaml(), exactly: exactly)
        let trainer = try SamplingTrainer(
            plan: plan, run: directory, reporter: reporter(), version: Experiment.version)
        return PreparedRun(directory: directory, warnings: warnings) { try Self.sample(trainer, $0) }
    }

    /// Goes on with the run in a directory, from its newest checkpoint that is whole or from the beginning.
    static func resume(
        _ directory: RunDirectory, config: SamplingConfig, reporter: (_ step: Int) -> ProgressReporter
    ) throws -> PreparedRun {
        let (checkpoint, passedOver) = try directory.newestCheckpoint()
        let experiment = SamplingExperiment(
            config, name: directory.url.standardizedFileURL.lastPathComponent)
        let (plan, warnings) = try experiment.plan()
        let trainer = try SamplingTrainer(
            plan: plan, run: directory, reporter: reporter(checkpoint?.manifest.step ?? 0),
            version: Experiment.version, resuming: checkpoint)
        return PreparedRun(directory: directory, warnings: warnings + passedOver) {
            try Self.sample(trainer, $0)
        }
    }

    private static func sample(_ trainer: SamplingTrainer, _ share: Double) throws -> RunEnd {
        guard share >= 1 else {
            throw ConfigError(.badOverride, "a sampling run cannot wait; --pause-at is for models")
        }
        return .finished(try trainer.sample())
    }

    /// Loads the data, which may have warnings, and builds a model for each chain.
    func plan() throws -> (SamplingPlan, warnings: [String]) {
        Threads.count = 1
        let data = try config.data.load()
        let plan = try SamplingPlan(
            name: name, modelName: config.model.name, data: data, prior: config.prior,
            likelihood: config.likelihood, posterior: config.posterior, equation: config.equation,
            settings: config.sampling
        ) { try config.model.architecture.build(for: data.kind, seed: $0) }
        return (plan, data.warnings)
    }
}
