import BayesianLearning
import Foundation
import ReinforcementLearning
import Training

/// How a call of ``PreparedRun/train(pausingAt:)`` ended.
package enum RunEnd {
    /// All steps were taken, or the run was stopped early.
    case finished(any RunResult)
    /// The run waits with a checkpoint.
    case paused(PausedRun)
}

/// A run that has not begun, or that goes on.
public struct PreparedRun {
    public let directory: RunDirectory
    /// What a user should know before it begins.
    public let warnings: [String]
    private let work: ((_ share: Double) throws -> RunEnd)?
    private let finished: (any RunResult)?

    /// - Parameter work: trains until a share of the run's steps is taken.
    init(
        directory: RunDirectory, warnings: [String] = [], work: @escaping (_ share: Double) throws -> RunEnd
    ) {
        self.directory = directory
        self.warnings = warnings
        self.work = work
        finished = nil
    }

    init(directory: RunDirectory, finished: any RunResult) {
        self.directory = directory
        warnings = []
        work = nil
        self.finished = finished
    }

    /// Whether the run had reached its end before.
    public var isFinished: Bool { finished != nil }

    /// Trains to the end, and notes in `run.json` how it ended. See `Trainer.train` and `AgentTrainer.train`.
    public func train() throws -> any RunResult {
        guard case .finished(let result) = try train(pausingAt: 1) else {
            preconditionFailure("a run that is not asked to pause does not")
        }
        return result
    }

    /// Trains until a share of the run's steps is taken, rounded up, and notes in `run.json` how that ended.
    package func train(pausingAt share: Double) throws -> RunEnd {
        guard let work else { return .finished(finished!) }
        do {
            let end = try work(share)
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

/// Results of every kind of run.
public enum RunResults {
    /// Reads a `result.json`.
    /// - Throws: `FileError` if it cannot be read; `CheckpointError` (`damaged`) if it is none.
    public static func read(_ url: URL) throws -> any RunResult {
        if let result = try? AgentResult(contentsOf: url) { return result }
        if let result = try? SamplingResult(contentsOf: url) { return result }
        return try TrainingResult(contentsOf: url)
    }

    /// The result of a finished run; nil if the run has none.
    static func ofRun(_ directory: RunDirectory) throws -> (any RunResult)? {
        guard FileManager.default.fileExists(atPath: directory.result.path) else { return nil }
        return try read(directory.result)
    }
}

extension RunDirectory {
    /// The newest checkpoint that is whole, to go on from, nil where there is none yet, and what is to be said of newer ones that
    /// are not. What a save left that was killed is removed.
    func newestCheckpoint() throws -> (checkpoint: Checkpoint?, warnings: [String]) {
        guard try !checkpoints.steps().isEmpty else { return (nil, []) }
        let (checkpoint, damaged) = try checkpoints.latest()
        try checkpoints.removeOld(before: checkpoint.manifest.step)
        return (
            checkpoint,
            damaged.map { "\($0.message); going on from step \(checkpoint.manifest.step) instead" }
        )
    }
}
