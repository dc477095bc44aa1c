import Safetensors
import TorchNN

extension Checkpoint {
    /// Puts the weights that the run is judged by into the plan's model: their mean where the settings ask for one.
    ///
    /// - Parameter isBest: whether this is the best checkpoint, whose weights are those already.
    /// - Throws: ``CheckpointError`` (`otherModel`) where they do not fit, or (`missing`) where what batch normalisation
    ///   has to know under the mean is not in a checkpoint.
    package func installJudgedWeights(in plan: TrainingPlan, isBest: Bool) throws {
        func fitting(_ body: () throws -> Void) throws {
            do {
                try body()
            } catch let error as StateDictionaryError {
                throw CheckpointError(
                    .otherModel, "the checkpoint \(file.name) belongs to another model: \(error.message)")
            }
        }
        try fitting { try plan.model.loadState(from: file, prefix: "model.") }
        guard !isBest, let average = plan.settings.average else { return }
        let averager = WeightAverager(plan.model, average, count: manifest.progress.averaged ?? 0)
        try fitting { try averager.load(from: file) }
        try averager.install {
            throw CheckpointError(
                .missing,
                "the checkpoint \(file.name) has no statistics of batch normalisation for the mean of its weights (swa), "
                    + "which are learnt at evaluations and at the end; finish the run, or evaluate its best weights"
            )
        }
    }
}
