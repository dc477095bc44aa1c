import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import TorchNN

extension Trainer {
    /// Where the run stands after the last step.
    private var manifest: CheckpointManifest {
        CheckpointManifest(
            step: step, epoch: position.epoch, batch: position.batch, seed: plan.settings.seed,
            progress: progress)
    }

    private var tensors: [TensorSource] {
        plan.model.stateSources(prefix: "model.") + (averager?.sources ?? []) + optimizer.stateSources()
    }

    /// Writes the checkpoint of the last step taken.
    func save(epoch: Int? = nil) throws {
        try run.checkpoints.save(manifest, tensors, metadata: optimizer.core.stateMetadata())
        information.noteSave(at: step, trainingSeconds: sessionSeconds)
        try information.write(to: run.information)
        for observer in observers {
            try observer.saved(moment(epoch ?? position.epoch), checkpoint: run.checkpoints.url(step: step))
        }
    }

    /// Saves, and measures the model on what it is judged by; the log is that of a run without pauses.
    func waitHere() throws -> PausedRun {
        if try run.checkpoints.steps().first != step { try save() }
        let (kind, evaluation) = try judge()
        let prefix = kind == .test ? "" : "\(kind.rawValue)."
        return PausedRun(step: step, on: kind.rawValue, metrics: evaluation.numbers(prefix: prefix))
    }

    /// Writes the checkpoint of the best evaluation.
    func saveBest() throws {
        try run.checkpoints.saveBest(manifest, tensors, metadata: optimizer.core.stateMetadata())
    }

    /// The error that ends a run which the stability controller has given up, after saving what can be used.
    ///
    /// Parameters that are not finite are of no use to anybody: the checkpoint before stays the last one.
    func giveUp(_ reason: String) throws -> TrainingStopped {
        var saved: Int?
        if plan.model.isFinite {
            try save()
            saved = step
        } else {
            saved = try run.checkpoints.steps().first
        }
        let report = StabilityReport(of: optimizer.core).text
        return TrainingStopped(
            .diverged, "\(reason) The stability controller until then: \(report).", step: step,
            checkpointStep: saved)
    }

    /// Puts the model, the optimizer and the position where the checkpoint was made.
    /// - Throws: ``CheckpointError``: `otherModel`, `otherRun`.
    static func restore(
        _ checkpoint: Checkpoint, plan: TrainingPlan, optimizer: ModelOptimizer
    ) throws -> (Position, TrainingProgress) {
        let manifest = checkpoint.manifest
        func refuse(_ code: CheckpointError.Code, _ why: String) -> CheckpointError {
            CheckpointError(code, "the checkpoint \(checkpoint.file.name) belongs to another \(why)")
        }
        guard manifest.seed == plan.settings.seed else {
            throw refuse(
                .otherRun, "run: its seed is \(manifest.seed), the configuration's \(plan.settings.seed)")
        }
        guard manifest.step <= plan.totalSteps, manifest.batch < plan.stepsPerEpoch else {
            throw refuse(
                .otherRun,
                "run: it stands at step \(manifest.step), batch \(manifest.batch) of epoch \(manifest.epoch), and this "
                    + "run has \(plan.totalSteps) steps, \(plan.stepsPerEpoch) in an epoch")
        }
        do {
            try plan.model.loadState(from: checkpoint.file, prefix: "model.")
        } catch let error as StateDictionaryError {
            throw refuse(.otherModel, "model: \(error.message)")
        }
        do {
            try optimizer.loadState(from: checkpoint.file)
        } catch let error as OptimizerStateError {
            throw refuse(.otherRun, "run, with another rule: \(error.message)")
        }
        return (Position(epoch: manifest.epoch, batch: manifest.batch), manifest.progress)
    }
}
