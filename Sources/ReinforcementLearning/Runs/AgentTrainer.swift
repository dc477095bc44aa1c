import Environments
import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import Torch
import TorchNN
import Training

/// How a call of ``AgentTrainer/train(pausingAt:)`` ended.
public enum AgentTrainingEnd: Sendable {
    /// All steps were taken.
    case finished(AgentResult)
    /// The run waits with a checkpoint.
    case paused(PausedRun)
}

/// Runs an ``AgentPlan`` to its end: acting and learning, metrics, checkpoints, evaluation.
///
/// A run that is killed at any instant and resumed ends with the same bits as one that was not: everything random is
/// addressed, and everything else is in the checkpoint.
public final class AgentTrainer {
    let plan: AgentPlan
    let run: RunDirectory
    let learner: any Learner
    private let reporter: ProgressReporter
    private let log: MetricsLog
    private let board: TensorBoardLog
    var progress = AgentProgress()
    var information: RunInformation
    private var shown: [(name: String, value: Double)] = []
    private let clock = ContinuousClock()
    private var trainingTime = Duration.zero
    private let secondsBefore: Double

    /// After how many skipped updates in a row a run is given up.
    private static let patienceForSkips = 50

    /// Prepares a run, from its beginning or from a checkpoint.
    ///
    /// - Parameters:
    ///   - version: of the program, for `run.json`.
    ///   - checkpoint: where to go on.
    /// - Throws: `CheckpointError` for a checkpoint of another agent or run; `FileError`.
    public init(
        plan: AgentPlan, run: RunDirectory, reporter: ProgressReporter, version: String,
        resuming checkpoint: Checkpoint? = nil
    ) throws {
        self.plan = plan
        self.run = run
        self.reporter = reporter
        learner = plan.learner
        information = RunInformation(
            name: plan.name, seed: plan.settings.seed, threads: plan.settings.threads, version: version)
        if let checkpoint {
            progress = try AgentCheckpoint.restore(learner, plan.settings, from: checkpoint)
            information.continueSessions(of: run, at: learner.environmentSteps)
        }
        secondsBefore = information.trainingSeconds
        information.beginSession(at: learner.environmentSteps)
        try information.write(to: run.information)
        log = try MetricsLog(url: run.metrics, keepingUpTo: learner.environmentSteps)
        board = try TensorBoardLog(
            directory: run.url,
            keepingUpTo: information.sessions.count > 1 ? learner.environmentSteps : nil)
    }

    /// Trains to the end.
    ///
    /// - Returns: the result, which is also written to `result.json`.
    /// - Throws: `TrainingStopped` when interrupted or given up, with a checkpoint saved; `EnvironmentError`, `FileError`,
    ///   `TorchError`.
    public func train() throws -> AgentResult {
        guard case .finished(let result) = try train(pausingAt: totalSteps) else {
            preconditionFailure("a run that is not asked to pause does not")
        }
        return result
    }

    /// Trains to the end, or until a number of environment steps before it is taken, where the run waits with a checkpoint.
    ///
    /// Nothing of the run depends on its pauses.
    /// - Throws: as ``train()``.
    public func train(pausingAt pause: Int) throws -> AgentTrainingEnd {
        defer { reporter.finish() }
        while step < min(pause, totalSteps) {
            let before = step
            let started = clock.now
            let report = try advance()
            trainingTime += clock.now - started
            progress.take(report)
            let isLast = step >= totalSteps
            if isLast || isDue(plan.settings.logEvery, since: before) { try logLine() }
            if reporter.isDue { show() }
            try requireProgress()
            let stops = Interruption.isRequested
            if isLast || stops || isDue(plan.settings.checkpointEvery, since: before) { try save() }
            if stops, !isLast {
                throw TrainingStopped(
                    .interrupted,
                    "interrupted after step \(step) of \(totalSteps); everything is saved",
                    step: step, checkpointStep: step)
            }
        }
        return step < totalSteps ? .paused(try waitHere()) : .finished(try finish())
    }

    /// Environment steps taken.
    var step: Int { learner.environmentSteps }

    /// Environment steps of the whole run.
    public var totalSteps: Int { plan.settings.steps }

    /// Whether a multiple of `interval` was reached since `before` steps: a function of the steps alone.
    private func isDue(_ interval: Int, since before: Int) -> Bool { step / interval > before / interval }

    private func advance() throws -> LearnerReport {
        let before = step
        let skipped = skippedUpdates
        do {
            let report = try learner.advance()
            precondition(step > before, "an agent that does not act would never end")
            let steps = skippedUpdates.steps - skipped.steps
            let new = skippedUpdates.skipped - skipped.skipped
            // An update that was taken ends the row.
            if steps > 0 { progress.skippedInARow = new == steps ? progress.skippedInARow + new : 0 }
            return report
        } catch let error as DivergenceError {
            throw try giveUp(error.description)
        } catch let error as LearnerDivergence {
            throw try giveUp(error.message)
        }
    }

    private var skippedUpdates: (skipped: Int, steps: Int) {
        learner.optimizers.reduce((0, 0)) {
            ($0.0 + $1.optimizer.core.counts.skipped, $0.1 + $1.optimizer.core.counts.steps)
        }
    }

    private func requireProgress() throws {
        guard progress.skippedInARow >= Self.patienceForSkips else { return }
        throw try giveUp(
            "\(progress.skippedInARow) updates in a row had a gradient that is not finite, up to step \(step). Lower the "
                + "learning rate or the noise, or set stability.rollbackOnSpike.")
    }

    // MARK: Metrics

    private func logLine() throws {
        shown = progress.takeLine()
        let entropy = shown.first { $0.name == "entropy" }?.value
        let collapse = progress.collapse.note(
            step: step, recent: progress.recent.map(\.total), entropy: entropy)
        let taken = StabilityReport(of: learner.optimizers.map(\.optimizer.core))
        let rolledBack = taken.counts.rolledBack - progress.rolledBack
        progress.rolledBack = taken.counts.rolledBack
        let record = MetricsRecord(
            kind: .train, step: step, values: shown,
            event: collapse.map { "collapse.\($0.cause.rawValue)" } ?? (rolledBack > 0 ? "rolledBack" : nil))
        try log.append(record)
        try board.append(record)
        if rolledBack > 0 { reporter.say("  step \(step): stability so far: \(taken.text)") }
        guard let collapse else { return }
        reporter.say(
            "  policy collapse at step \(step): the mean return is \(short(collapse.meanReturn)), its best was "
                + short(collapse.best)
                + (collapse.cause == .lostEntropy ? ", and the entropy is near 0" : ""))
    }

    private func show() {
        func value(_ name: String) -> Double? { shown.first { $0.name == name }?.value }
        reporter.show(
            AgentSnapshot(
                step: step, totalSteps: totalSteps, meanReturn: progress.meanReturn,
                meanLength: progress.meanLength, approximateKL: value("approximateKL"),
                sigma: value("sigma")))
    }

    // MARK: Saving

    private func save() throws {
        try AgentCheckpoint.save(learner, progress, plan.settings, to: run.checkpoints)
        information.noteSave(at: step, trainingSeconds: trainingTime / .seconds(1))
        try information.write(to: run.information)
    }

    private func giveUp(_ reason: String) throws -> TrainingStopped {
        let cores = learner.optimizers.map(\.optimizer.core)
        var saved: Int?
        if learner.networks.allSatisfy(\.module.isFinite) {
            try save()
            saved = step
        } else {
            saved = try run.checkpoints.steps().first
        }
        return TrainingStopped(
            .diverged, "\(reason) The stability controller until then: \(StabilityReport(of: cores).text).",
            step: step, checkpointStep: saved)
    }

    /// Leaves the run with a checkpoint of this step, and says how good the agent is.
    private func waitHere() throws -> PausedRun {
        if try run.checkpoints.steps().first != step { try save() }
        return PausedRun(step: step, on: "episodes", metrics: try measured().metrics)
    }

    private func finish() throws -> AgentResult {
        try SafetensorsFile.write(AgentCheckpoint.weights(of: learner), to: run.model)
        let result = try measured()
        let record = MetricsRecord(
            kind: .test, step: step,
            values: [("return", result.evaluation.mean), ("length", result.evaluation.meanLength)])
        try log.append(record)
        try board.append(record)
        try result.write(to: run.result)
        return result
    }

    /// What a run that ends at this step has come to.
    private func measured() throws -> AgentResult {
        let evaluation = try AgentEvaluation.play(
            learner, in: plan.environment.environment, episodes: plan.settings.evaluationEpisodes,
            seed: plan.settings.seed)
        let cores = learner.optimizers.map(\.optimizer.core)
        let seconds = secondsBefore + trainingTime / .seconds(1)
        return AgentResult(
            status: .completed, name: plan.name, environment: plan.environment.name,
            algorithm: plan.algorithm.name,
            parameters: learner.networks.reduce(0) { $0 + $1.module.parameterCount },
            seed: plan.settings.seed, steps: step, episodes: progress.episodes, trainingSeconds: seconds,
            stepsPerSecond: seconds > 0 ? Double(step) / seconds : 0, meanReturn: progress.meanReturn,
            meanLength: progress.meanLength, bestReturn: progress.collapse.best, evaluation: evaluation,
            collapses: progress.collapse.collapses, stability: StabilityReport(of: cores),
            gradientEvaluations: cores.reduce(0) { $0 + $1.evaluations.gradients })
    }
}
