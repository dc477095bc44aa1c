import Datasets
import Foundation
import PerturbedEquations
import PerturbedTorch
import TorchNN

/// Runs a ``TrainingPlan`` to its end: steps, evaluation, checkpoints, metrics.
///
/// A run that is killed at any instant and resumed ends with the same bits as one that was not: everything
/// random is addressed by (seed, step) or (seed, epoch), and everything else is in the checkpoint.
public final class Trainer {
    let plan: TrainingPlan
    let run: RunDirectory
    let reporter: ProgressReporter
    let optimizer: ModelOptimizer
    let log: MetricsLog
    let board: TensorBoardLog
    var position: Position
    var progress: TrainingProgress
    /// What was last said of the stability controller.
    var shownStability: StabilityReport
    var information: RunInformation
    /// Are told what happens; none by default.
    public var observers: [any TrainingObserver] = []
    /// The pipeline of one step.
    let training: TrainingStep
    private let noise: BatchNoise
    /// The mean of the weights, where the settings ask for one.
    let averager: WeightAverager?
    private var observersStop = false
    private let clock = ContinuousClock()
    private var trainingTime = Duration.zero
    private let secondsBefore: Double

    /// Where a run stands: the next batch is number `batch` of epoch `epoch`.
    struct Position: Equatable {
        var epoch = 0
        var batch = 0
    }

    /// After how many skipped steps in a row a run is given up: the parameters do not change any more, so every
    /// further step would be skipped too, unless the batches alone are to blame.
    static let patienceForSkips = 50

    /// Prepares a run, from its beginning or from a checkpoint.
    ///
    /// - Parameters:
    ///   - optimizer: `plan.makeOptimizer()`; made before the run's directory is, since it may find fault with
    ///     the equation.
    ///   - version: of the program, for `run.json`.
    ///   - checkpoint: where to go on.
    /// - Throws: `CheckpointError` for a checkpoint of another model or run; `FileError`.
    public init(
        plan: TrainingPlan, optimizer: ModelOptimizer, run: RunDirectory, reporter: ProgressReporter,
        version: String, resuming checkpoint: Checkpoint? = nil
    ) throws {
        self.plan = plan
        self.run = run
        self.reporter = reporter
        self.optimizer = optimizer
        shownStability = StabilityReport(of: optimizer.core)
        position = Position()
        progress = TrainingProgress()
        information = RunInformation(
            name: plan.name, seed: plan.settings.seed, threads: plan.settings.threads ?? 0, version: version)
        if let checkpoint {
            (position, progress) = try Self.restore(checkpoint, plan: plan, optimizer: optimizer)
            information.continueSessions(of: run, at: optimizer.core.step)
        }
        noise = try plan.noise()
        training = plan.step(optimizer, noise)
        let averaged = progress.averaged ?? 0
        averager = plan.settings.average.map { WeightAverager(plan.model, $0, count: averaged) }
        if let checkpoint { try averager?.load(from: checkpoint.file) }
        shownStability = StabilityReport(of: optimizer.core)
        secondsBefore = information.trainingSeconds
        information.beginSession(at: optimizer.core.step)
        try information.write(to: run.information)
        log = try MetricsLog(url: run.metrics, keepingUpTo: optimizer.core.step)
        board = try TensorBoardLog(
            directory: run.url, keepingUpTo: information.sessions.count > 1 ? optimizer.core.step : nil)
    }

    /// Trains to the end.
    ///
    /// - Returns: the result, which is also written to `result.json`.
    /// - Throws: ``TrainingStopped`` when interrupted or given up, with a checkpoint saved; `FileError`,
    ///   `TorchError`.
    public func train() throws -> TrainingResult {
        guard case .finished(let result) = try train(pausingAt: plan.totalSteps) else {
            preconditionFailure("a run that is not asked to pause does not")
        }
        return result
    }

    /// Trains to the end, or to a step before it, where the run waits with a checkpoint.
    ///
    /// Nothing of the run depends on its pauses.
    /// - Throws: as ``train()``.
    public func train(pausingAt pause: Int) throws -> TrainingEnd {
        defer { reporter.finish() }
        let end = min(pause, plan.totalSteps)
        let loader = BatchLoader(
            plan.data.train, of: plan.data.kind, noise: noise, inBackground: plan.settings.loadsInBackground)
        let key = NoiseKey(seed: plan.settings.seed)
        var shown: TrainingStep.Outcome?

        while step < end, !patienceIsOver {
            let batches = plan.data.train.order(key: key, epoch: position.epoch)
                .batches(of: plan.settings.batchSize)
            var started = clock.now
            while position.batch < batches.count, step < end {
                let epoch = position.epoch
                // A function of the step alone, so that a resumed run measures the same steps.
                let measure = (step + 1) % plan.settings.logEvery == 0
                let examples = microBatches(batches[position.batch])
                try loader.expect(requests(batches, from: position))
                let outcome = try take(examples, loader, epoch, measure)
                if measure { shown = outcome }
                if let averager, outcome.report.outcome == .applied {
                    averager.note(step: step)
                    progress.averaged = averager.count
                }
                position.batch += 1
                let endsEpoch = position.batch == batches.count
                if endsEpoch { position = Position(epoch: epoch + 1, batch: 0) }

                try logStep(outcome, epoch: epoch)
                if reporter.isDue { show(outcome, measured: shown, epoch: epoch) }
                let now = clock.now
                trainingTime += now - started
                for observer in observers {
                    try observer.stepped(moment(epoch), loss: outcome.loss, report: outcome.report)
                }
                try afterStep(epoch: epoch, endsEpoch: endsEpoch)
                started = clock.now
                if endsEpoch || patienceIsOver { break }
            }
        }
        guard step >= plan.totalSteps || patienceIsOver else { return .paused(try waitHere()) }
        return .finished(try finish())
    }

    func microBatches(_ batch: ArraySlice<Int>) -> [ArraySlice<Int>] {
        TrainingPlan.microBatches(batch, parts: plan.settings.accumulate)
    }

    /// What the next step reads, and the one after it if it is of the same epoch.
    private func requests(_ batches: Batches, from position: Position) -> [BatchLoader.Request] {
        (0..<min(2, batches.count - position.batch)).flatMap { ahead in
            microBatches(batches[position.batch + ahead]).map {
                BatchLoader.Request($0, step: step + ahead, epoch: position.epoch)
            }
        }
    }

    /// Takes one step, and stops the run when the stability controller gives up.
    private func take(
        _ examples: [ArraySlice<Int>], _ loader: BatchLoader, _ epoch: Int, _ measure: Bool
    ) throws -> TrainingStep.Outcome {
        let outcome: TrainingStep.Outcome
        do {
            outcome = try training.take(examples, from: loader, epoch: epoch, measure: measure)
        } catch let error as DivergenceError {
            throw try giveUp(error.description)
        }
        switch outcome.report.outcome {
        case .applied:
            progress.skippedInARow = 0
            guard outcome.loss.isFinite else {
                throw try giveUp(
                    "the loss was \(outcome.loss) at step \(step). Lower the learning rate or the noise, or "
                        + "set stability.skipNonFinite or stability.rollbackOnSpike.")
            }
        case .skippedNonFinite:
            progress.skippedInARow += 1
            if progress.skippedInARow >= Self.patienceForSkips {
                throw try giveUp(
                    "\(progress.skippedInARow) steps in a row had a gradient that is not finite (the last loss was "
                        + "\(outcome.loss)), up to step \(step). Lower the learning rate or the noise, or set "
                        + "stability.rollbackOnSpike.")
            }
        case .rolledBack: break
        }
        return outcome
    }

    /// Evaluates and saves where that is due, and stops where that was asked for.
    private func afterStep(epoch: Int, endsEpoch: Bool) throws {
        let ended = endsEpoch ? epoch + 1 : nil
        let isLast = step == plan.totalSteps
        if isLast || plan.settings.evaluateEvery.isDue(step: step, epochsEnded: ended) {
            try evaluate(epoch: epoch)
        }
        for observer in observers where observer.wantsToStop(moment(epoch)) { observersStop = true }
        let stops = Interruption.isRequested
        if isLast || stops || patienceIsOver
            || plan.settings.checkpointEvery.isDue(step: step, epochsEnded: ended)
        {
            try save(epoch: epoch)
        }
        if stops && !isLast && !patienceIsOver {
            throw TrainingStopped(
                .interrupted, "interrupted after step \(step) of \(plan.totalSteps); everything is saved",
                step: step,
                checkpointStep: step)
        }
    }

    /// Logical steps taken.
    var step: Int { optimizer.core.step }
    /// Logical steps of the whole run.
    package var totalSteps: Int { plan.totalSteps }

    /// What observers are told of the step just taken.
    func moment(_ epoch: Int) -> TrainingMoment {
        TrainingMoment(step: step, totalSteps: plan.totalSteps, epoch: epoch, model: plan.model)
    }

    private var patienceIsOver: Bool {
        observersStop || plan.settings.earlyStop.map { progress.evaluationsSinceBest >= $0.patience } ?? false
    }

    /// Wall time of training over all sessions, without evaluation and saving.
    var trainingSeconds: Double { secondsBefore + trainingTime / .seconds(1) }
    var sessionSeconds: Double { trainingTime / .seconds(1) }
}
