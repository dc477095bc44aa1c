import Datasets
import Foundation
import Models
import PerturbedEquations
import Safetensors
import Torch
import Training

/// Starts and resumes runs of a configuration.
public struct Experiment {
    /// The version of peo, as `run.json` and `peo --version` say it.
    public static let version = "0.1.0"

    /// The name that people see: the configuration file's, without its extension.
    public let name: String
    /// The configuration, with everything filled in.
    public let config: ExperimentConfig

    /// - Parameter name: the run's name, and that of its directory under `runs/` where the configuration says
    ///   none.
    public init(_ config: ExperimentConfig, name: String) {
        self.name = name
        self.config = config.resolved(threads: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Makes a new run: checks everything first, and makes its directory only then.
    ///
    /// - Parameter output: where; the configuration's `output`, or `runs/<name>`, unless told. If that exists,
    ///   the next free name is taken, unless it has to be there `exactly`.
    /// - Throws: errors in the configuration, the data or the file system, before anything is trained.
    public func start(
        output: String? = nil, exactly: Bool = false, reporter: () -> ProgressReporter
    ) throws -> PreparedRun {
        let (plan, warnings) = try plan()
        let optimizer = try plan.makeOptimizer()
        let place = URL(fileURLWithPath: output ?? config.output ?? "runs/\(name)")
        let directory = try RunDirectory.create(
            at: place, config: try config.yaml(), exactly: exactly)
        if let vocabulary = plan.data.vocabulary { try directory.keep(vocabulary) }
        let trainer = try Trainer(
            plan: plan, optimizer: optimizer, run: directory, reporter: reporter(), version: Self.version)
        return PreparedRun(directory: directory, warnings: warnings) { try Self.train(trainer, $0) }
    }

    /// Goes on with the run in `directory`, of whatever kind, from its newest checkpoint that is whole, or from the
    /// beginning if it has none yet.
    ///
    /// - Parameters:
    ///   - given: a configuration that the user named too: it must be the run's own.
    ///   - longer: a new length of the run, `training.epochs=40`; see ``RunConfig/extended(by:run:)``.
    /// - Throws: `CheckpointError` and `FileError`, naming the file; ``ConfigError`` for another configuration.
    public static func resume(
        _ url: URL, given: (any RunConfig)? = nil, longer overrides: [ConfigOverride] = [],
        reporter: (_ step: Int) -> ProgressReporter
    ) throws -> PreparedRun {
        let directory = try RunDirectory.open(url)
        var config = try RunConfigs.read(directory.config)
        if !overrides.isEmpty { config = try config.extended(by: overrides, run: directory) }
        config = config.resolved(threads: ProcessInfo.processInfo.activeProcessorCount)
        if let given { try config.refuseOtherThan(given, run: url) }
        if overrides.isEmpty, let result = try RunResults.ofRun(directory) {
            return PreparedRun(directory: directory, finished: result)
        }
        if let config = config as? AgentConfig {
            return try AgentExperiment.resume(
                directory, config: config, isLonger: !overrides.isEmpty, reporter: reporter)
        }
        if let config = config as? SamplingConfig {
            return try SamplingExperiment.resume(directory, config: config, reporter: reporter)
        }
        guard let config = config as? ExperimentConfig else {
            preconditionFailure("a run is a model's, an agent's or a posterior's")
        }
        return try resume(directory, config: config, isLonger: !overrides.isEmpty, reporter: reporter)
    }

    private static func resume(
        _ directory: RunDirectory, config: ExperimentConfig, isLonger: Bool,
        reporter: (_ step: Int) -> ProgressReporter
    ) throws -> PreparedRun {
        let (checkpoint, passedOver) = try directory.newestCheckpoint()
        let experiment = Experiment(config, name: directory.url.standardizedFileURL.lastPathComponent)
        let (plan, warnings) = try experiment.plan()
        if let vocabulary = plan.data.vocabulary { try directory.keep(vocabulary) }
        let optimizer = try plan.makeOptimizer()
        if isLonger { try directory.extend(config: try experiment.config.yaml()) }
        let trainer = try Trainer(
            plan: plan, optimizer: optimizer, run: directory,
            reporter: reporter(checkpoint?.manifest.step ?? 0),
            version: version, resuming: checkpoint)
        return PreparedRun(directory: directory, warnings: warnings + passedOver) {
            try Self.train(trainer, $0)
        }
    }

    private static func train(_ trainer: Trainer, _ share: Double) throws -> RunEnd {
        switch try trainer.train(pausingAt: Int((share * Double(trainer.totalSteps)).rounded(.up))) {
        case .finished(let result): .finished(result)
        case .paused(let pause): .paused(pause)
        }
    }

    /// Loads the data, which may have warnings, and builds the model.
    func plan() throws -> (TrainingPlan, warnings: [String]) {
        let settings = config.training
        // Before data are loaded, which may take long.
        try settings.requireDevice()
        Threads.count = settings.threads ?? 1
        var data = try config.data.load()
        if let fraction = settings.validation?.fraction {
            let count = Int((Double(data.train.count) * fraction).rounded())
            data = try data.carvingValidation(count: count)
        }
        let seed = NoiseKey(seed: settings.seed).derived("initialise").seed
        let model = try config.model.architecture.build(
            for: data.kind, seed: seed)
        let plan = TrainingPlan(
            name: name, modelName: config.model.name, model: model, data: data, equation: config.equation,
            groups: config.groups, settings: settings)
        return (plan, data.warnings)
    }
}
