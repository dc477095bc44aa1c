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

    /// A run that has not begun, or that goes on.
    public struct PreparedRun {
        public let directory: RunDirectory
        /// Checkpoints that were damaged and passed over.
        public let warnings: [String]
        private let trainer: Trainer?
        private let finished: TrainingResult?

        init(directory: RunDirectory, trainer: Trainer, warnings: [String] = []) {
            self.directory = directory
            self.warnings = warnings
            self.trainer = trainer
            finished = nil
        }

        init(directory: RunDirectory, finished: TrainingResult) {
            self.directory = directory
            warnings = []
            trainer = nil
            self.finished = finished
        }

        /// Whether the run had reached its end before.
        public var isFinished: Bool { finished != nil }

        /// Trains to the end, and notes in `run.json` how it ended. See `Trainer.train`.
        public func train() throws -> TrainingResult {
            guard case .finished(let result) = try train(pausingAt: 1) else {
                preconditionFailure("a run that is not asked to pause does not")
            }
            return result
        }

        /// Trains until a share of the run's steps is taken, rounded up, and notes in `run.json` how that ended.
        package func train(pausingAt share: Double) throws -> TrainingEnd {
            guard let trainer else { return .finished(finished!) }
            do {
                let end = try trainer.train(
                    pausingAt: Int((share * Double(trainer.totalSteps)).rounded(.up)))
                switch end {
                case .finished(let result):
                    directory.noteEnd(result.status == .completed ? .completed : .stoppedEarly)
                case .paused: directory.noteEnd(.paused)
                }
                return end
            } catch let error as TrainingStopped {
                directory.noteEnd(
                    error.code == .interrupted ? .interrupted : .diverged, message: error.message)
                throw error
            } catch {
                directory.noteEnd(.failed, message: "\(error)")
                throw error
            }
        }
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
        return PreparedRun(directory: directory, trainer: trainer, warnings: warnings)
    }

    /// Goes on with the run in `directory` from its newest checkpoint that is whole, or from the beginning if it
    /// has none yet.
    ///
    /// - Parameters:
    ///   - given: a configuration that the user named too: it must be the run's own.
    ///   - longer: a new length of the run, `training.epochs=40`; see ``extended(_:by:run:)``.
    /// - Throws: `CheckpointError` and `FileError`, naming the file; ``ConfigError`` for another configuration.
    public static func resume(
        _ url: URL, given: ExperimentConfig? = nil, longer overrides: [ConfigOverride] = [],
        reporter: (_ step: Int) -> ProgressReporter
    ) throws -> PreparedRun {
        let directory = try RunDirectory.open(url)
        var config = try ExperimentConfig(contentsOf: directory.config)
        if !overrides.isEmpty { config = try extended(config, by: overrides, run: directory) }
        let experiment = Experiment(config, name: url.standardizedFileURL.lastPathComponent)
        if let given { try experiment.refuseOtherThan(given, run: url) }
        if overrides.isEmpty, let result = try TrainingResult(ofRun: directory) {
            return PreparedRun(directory: directory, finished: result)
        }
        let checkpoint: Checkpoint?
        var damaged: [CheckpointError] = []
        if try directory.checkpoints.steps().isEmpty {
            checkpoint = nil
        } else {
            (checkpoint, damaged) = try directory.checkpoints.latest()
        }
        let (plan, warnings) = try experiment.plan()
        if let vocabulary = plan.data.vocabulary { try directory.keep(vocabulary) }
        let optimizer = try plan.makeOptimizer()
        if !overrides.isEmpty { try directory.extend(config: try experiment.config.yaml()) }
        let trainer = try Trainer(
            plan: plan, optimizer: optimizer, run: directory,
            reporter: reporter(checkpoint?.manifest.step ?? 0),
            version: version, resuming: checkpoint)
        let back = checkpoint.map { "step \($0.manifest.step)" } ?? "the beginning"
        return PreparedRun(
            directory: directory, trainer: trainer,
            warnings: warnings + damaged.map { "\($0.message); going on from \(back) instead" })
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

    /// A run's configuration with a greater length, in the unit that it has: steps or epochs.
    ///
    /// The run goes on as if it had been that long from the start, except that schedules whose length is the run's now follow
    /// the new length from where they are: what they were before is not undone.
    ///
    /// - Throws: ``ConfigError`` for anything else.
    static func extended(
        _ config: ExperimentConfig, by overrides: [ConfigOverride], run: RunDirectory
    ) throws -> ExperimentConfig {
        let keys = ["training.epochs", "training.steps"]
        for override in overrides where !keys.contains(override.path.joined(separator: ".")) {
            throw ConfigError(
                .badOverride,
                "'\(override.path.joined(separator: "."))' cannot change when a run goes on; allowed with --resume: "
                    + keys.joined(separator: ", "), origin: .override(override.path.joined(separator: ".")))
        }
        let longer = try ExperimentConfig(contentsOf: run.config, overrides: overrides)
        for (name, old, new) in [
            ("epochs", config.training.epochs, longer.training.epochs),
            ("steps", config.training.steps, longer.training.steps),
        ] {
            if let old, let new, new < old {
                throw ConfigError(
                    .badOverride, "is \(new); allowed with --resume: \(old), the run's own, or more",
                    origin: .override("training.\(name)"))
            }
        }
        return longer
    }

    /// A run goes on with its own settings; others would make it a mixture of two.
    private func refuseOtherThan(_ given: ExperimentConfig, run: URL) throws {
        var given = given.resolved(threads: config.training.threads ?? 1)
        given.output = config.output
        let own = try config.yaml().split(separator: "\n")
        let other = try given.yaml().split(separator: "\n")
        guard own != other else { return }
        let difference = zip(own, other).first { $0 != $1 } ?? (own.last ?? "", other.last ?? "")
        throw ConfigError(
            .badValue,
            "the run has '\(difference.0.trimming)', and this configuration has '\(difference.1.trimming)'; resume a run "
                + "with its own settings (leave the configuration and --set out), or start a new run",
            file: run.appendingPathComponent("config.yaml").path)
    }
}

extension Substring {
    fileprivate var trimming: String { trimmingCharacters(in: .whitespaces) }
}

extension TrainingResult {
    /// The result of a finished run; nil if the run has none.
    init?(ofRun directory: RunDirectory) throws {
        guard FileManager.default.fileExists(atPath: directory.result.path) else { return nil }
        self = try TrainingResult(contentsOf: directory.result)
    }
}
