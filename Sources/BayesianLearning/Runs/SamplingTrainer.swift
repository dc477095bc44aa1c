import Foundation
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Statistics
import Torch
import TorchNN
import Training

/// Runs a ``SamplingPlan`` to its end: chains, draws on disk, metrics, checkpoints, diagnostics.
///
/// A run that is killed at any instant and resumed ends with the same bits as one that was not.
public final class SamplingTrainer {
    let plan: SamplingPlan
    let run: RunDirectory
    private let sampler: ChainSampler
    private let reporter: ProgressReporter
    private let log: MetricsLog
    private let board: TensorBoardLog
    private var information: RunInformation
    private let clock = ContinuousClock()
    private var samplingTime = Duration.zero
    private let secondsBefore: Double
    private var round = 16
    private var shownRHat: (name: String, value: Double)?
    private var judged: ContinuousClock.Instant

    /// Draws of all chains that R̂ is taken of while the run goes on: every k-th of those that the sampler keeps.
    private static let judgedDraws = 4000

    /// Prepares a run, from its beginning or from a checkpoint.
    ///
    /// - Parameters:
    ///   - version: of the program, for `run.json`.
    ///   - checkpoint: where to go on.
    /// - Throws: `CheckpointError` for a checkpoint of another model or run; `FileError`.
    public init(
        plan: SamplingPlan, run: RunDirectory, reporter: ProgressReporter, version: String,
        resuming checkpoint: Checkpoint? = nil
    ) throws {
        self.plan = plan
        self.run = run
        self.reporter = reporter
        let threads = plan.settings.threads ?? ProcessInfo.processInfo.activeProcessorCount
        let folder = run.samples
        if mkdir(folder.path, 0o755) != 0, errno != EEXIST {
            throw FileError(path: folder.path, operation: .create, errorNumber: errno)
        }
        _ = try? AtomicFile.removeAbandoned(in: folder, olderThan: 0)
        sampler = try plan.sampler(to: folder, threads: threads)
        information = RunInformation(
            name: plan.name, seed: plan.settings.seed, threads: threads, version: version)
        if let checkpoint {
            try Self.restore(sampler, plan.settings, from: checkpoint)
            information.continueSessions(of: run, at: sampler.step)
        } else {
            try sampler.removeLeftParts()
        }
        judged = clock.now
        secondsBefore = information.trainingSeconds
        information.beginSession(at: sampler.step)
        try information.write(to: run.information)
        log = try MetricsLog(url: run.metrics, keepingUpTo: sampler.step)
        board = try TensorBoardLog(
            directory: run.url, keepingUpTo: information.sessions.count > 1 ? sampler.step : nil)
    }

    private static func restore(
        _ sampler: ChainSampler, _ settings: SamplingSettings, from checkpoint: Checkpoint
    ) throws {
        let name = checkpoint.file.name
        guard checkpoint.manifest.seed == settings.seed else {
            throw CheckpointError(
                .otherRun,
                "the checkpoint \(name) belongs to another run: its seed is \(checkpoint.manifest.seed), the "
                    + "configuration's \(settings.seed)")
        }
        do {
            try sampler.restore(from: checkpoint.file)
        } catch let error as SamplingStateError {
            throw CheckpointError(
                .otherRun, "the checkpoint \(name) belongs to another run: \(error.message)")
        } catch let error as OptimizerStateError {
            throw CheckpointError(
                .otherRun, "the checkpoint \(name) belongs to another run: \(error.message)")
        } catch let error as SafetensorsError {
            throw CheckpointError(
                .otherModel, "the checkpoint \(name) belongs to another model: \(error.message)")
        }
    }

    /// Samples to the end.
    ///
    /// - Returns: the result, which is also written to `result.json`.
    /// - Throws: `TrainingStopped` when interrupted or where a chain exploded, or has draws that U says are nowhere near the
    ///   posterior, with the draws so far written; `FileError`,
    ///   `TorchError`.
    public func sample() throws -> SamplingResult {
        defer { reporter.finish() }
        while !sampler.isFinished {
            let before = sampler.step
            try advance()
            let isLast = sampler.isFinished
            if isLast || isDue(plan.settings.logEvery, since: before) { try logLine() }
            if reporter.isDue { show() }
            let stops = Interruption.isRequested
            if isLast || stops || isDue(plan.settings.checkpointEvery, since: before) { try save() }
            if stops, !isLast {
                throw TrainingStopped(
                    .interrupted,
                    "interrupted after step \(sampler.step) of \(plan.schedule.steps); everything is saved",
                    step: sampler.step, checkpointStep: sampler.step)
            }
        }
        return try finish()
    }

    /// Whether a multiple of `interval` was reached since `before` steps.
    private func isDue(_ interval: Int, since before: Int) -> Bool {
        sampler.step / interval > before / interval
    }

    /// Moves the chains for about a tenth of a second, but not past a line of the log or a checkpoint.
    private func advance() throws {
        let step = sampler.step
        let next = [plan.settings.logEvery, plan.settings.checkpointEvery].map { (step / $0 + 1) * $0 }.min()!
        let started = clock.now
        do {
            try sampler.advance(by: min(round, next - step))
        } catch let error as SamplingDivergence {
            throw TrainingStopped(
                .diverged, error.description, step: error.step,
                checkpointStep: try run.checkpoints.steps().first)
        } catch let error as DivergenceError {
            throw TrainingStopped(
                .diverged, error.description, step: step, checkpointStep: try run.checkpoints.steps().first)
        }
        let taken = clock.now - started
        samplingTime += taken
        let share = 0.1 / max(taken / .seconds(1), 1e-6)
        round = max(1, min(1 << 20, Int(Double(max(1, sampler.step - step)) * min(share, 4))))
    }

    // MARK: Metrics

    private var meanEnergy: Double { Sample.mean(sampler.energies) }

    /// The worst R̂ over the functions of the draws so far, of every k-th where they are many.
    private func worstRHat() -> (name: String, value: Double)? {
        guard plan.posterior.approximation.areDrawsOfOnePosterior, sampler.draws >= 4 else { return nil }
        var worst: (name: String, value: Double)?
        for (number, name) in sampler.functions.enumerated() {
            let chains = sampler.chains(of: number)
            let step = max(1, chains.draws[0].count * chains.draws.count / Self.judgedDraws)
            let some = Chains(
                chains.draws.map { draws in stride(from: 0, to: draws.count, by: step).map { draws[$0] } })
            let value = some.splitRHat
            if !value.isNaN, value > worst?.value ?? 0 { worst = (name, value) }
        }
        return worst
    }

    /// T of the next step; nil where the rule does not sample.
    private var temperature: Double? {
        plan.chains[0].optimizer.equation.rule is any PosteriorRule ? sampler.temperature : nil
    }

    private func logLine() throws {
        shownRHat = worstRHat()
        judged = clock.now
        var values = [("energy", meanEnergy), ("draws", Double(sampler.draws))]
        if let shownRHat { values.append(("rHat", shownRHat.value)) }
        values.append(("learningRate", sampler.learningRate))
        if let temperature { values.append(("temperature", temperature)) }
        let record = MetricsRecord(kind: .train, step: sampler.step, values: values)
        try log.append(record)
        try board.append(record)
    }

    private func show() {
        if clock.now - judged > .seconds(2) {
            shownRHat = worstRHat()
            judged = clock.now
        }
        reporter.show(
            SamplingSnapshot(
                step: sampler.step, totalSteps: plan.schedule.steps, chains: plan.settings.chains,
                draws: sampler.draws, energy: meanEnergy, learningRate: sampler.learningRate,
                temperature: temperature, splitRHat: shownRHat))
    }

    // MARK: Saving

    private func save() throws {
        let manifest = CheckpointManifest(
            step: sampler.step, epoch: 0, batch: 0, seed: plan.settings.seed, progress: TrainingProgress())
        try run.checkpoints.save(manifest, try sampler.stateSources(), metadata: try sampler.stateMetadata())
        information.noteSave(at: sampler.step, trainingSeconds: samplingTime / .seconds(1))
        try information.write(to: run.information)
    }

    private func finish() throws -> SamplingResult {
        let samples = try Samples(contentsOf: run.samples)
        let isOne = plan.posterior.approximation.areDrawsOfOnePosterior
        let numbers = try SamplingResult.numbers(samples, ofOnePosterior: isOne)
        let warnings = isOne ? SamplingResult.warnings(numbers) : try warningsOfRisingEnergy(samples)
        let seconds = secondsBefore + samplingTime / .seconds(1)
        func perSecond(_ count: Int) -> Double {
            seconds > 0 ? Double(count * plan.settings.chains) / seconds : 0
        }
        let result = SamplingResult(
            status: .completed, name: plan.name, model: plan.modelName, data: plan.data.name,
            rule: plan.ruleName, prior: plan.prior.name, posterior: plan.posterior.name,
            parameters: samples.parameters.reduce(0) { $0 + $1.count },
            seed: plan.settings.seed, chains: plan.settings.chains, steps: sampler.step, draws: samples.draws,
            trainingSeconds: seconds, stepsPerSecond: perSecond(sampler.step),
            drawsPerSecond: perSecond(samples.draws), functions: numbers,
            weights: isOne ? try SamplingResult.weights(samples, seed: plan.settings.seed) : nil,
            warnings: warnings,
            stability: StabilityReport(of: sampler.chains.map(\.optimizer)))
        try result.write(to: run.result)
        return result
    }
}

extension SamplingTrainer {
    /// Chains whose draws have a greater U than their first step, in words: what stands for R̂ where draws have none.
    ///
    /// - Throws: `TrainingStopped` where it is greater by far.
    private func warningsOfRisingEnergy(_ samples: Samples) throws -> [String] {
        let rises = EnergyRise.found(
            in: try samples.function("energy"), above: sampler.firstEnergies,
            weights: samples.parameters.reduce(0) { $0 + $1.count })
        let remedy = plan.posterior.approximation.remedyOfRisingEnergy
        if let exploded = rises.first(where: \.isExplosion) {
            throw TrainingStopped(
                .diverged, exploded.description(remedy: remedy), step: sampler.step,
                checkpointStep: sampler.step)
        }
        return rises.map { $0.description(remedy: remedy) }
    }
}

extension RunDirectory {
    /// Where a sampling run's draws are.
    public var samples: URL { url.appendingPathComponent("samples") }
}
