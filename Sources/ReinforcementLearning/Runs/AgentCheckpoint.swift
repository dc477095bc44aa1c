import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import TorchNN
import Training

/// An agent and its run in a checkpoint: networks as `model.actor.0.weight`, the state of each optimizer under
/// `optimizer.<name>/`, what else the agent keeps under its own names, and numbers in the metadata.
enum AgentCheckpoint {
    private static let progressKey = "agent.progress"
    private static let learnerPrefix = "agent.learner."

    private static func prefix(ofOptimizer name: String) -> String { "optimizer.\(name)/" }
    private static func key(ofOptimizer name: String) -> String { "optimizer.\(name)" }

    /// The networks' tensors, by network and name: `actor.0.weight`.
    static func weights(of learner: any Learner, prefix: String = "") -> [TensorSource] {
        learner.networks.flatMap { $0.module.stateSources(prefix: "\(prefix)\($0.name).") }
    }

    static func save(
        _ learner: any Learner, _ progress: AgentProgress, _ settings: AgentTrainingSettings,
        to store: CheckpointStore
    ) throws {
        let state = try learner.state()
        var tensors = weights(of: learner, prefix: "model.")
        var metadata = [progressKey: try LearnerState.text(progress)]
        for (name, optimizer) in learner.optimizers {
            tensors += optimizer.stateSources().map { source in
                var renamed = source
                renamed.name = prefix(ofOptimizer: name) + source.name
                return renamed
            }
            metadata[key(ofOptimizer: name)] = try optimizer.core.stateMetadata()["optimizer"]
        }
        tensors += state.tensors
        for (key, text) in state.metadata { metadata[learnerPrefix + key] = text }
        let manifest = CheckpointManifest(
            step: learner.environmentSteps, epoch: 0, batch: 0, seed: settings.seed,
            progress: TrainingProgress())
        try store.save(manifest, tensors, metadata: metadata)
    }

    /// Puts the agent where the checkpoint was made.
    /// - Throws: `CheckpointError`: `otherModel`, `otherRun`, `damaged`.
    static func restore(
        _ learner: any Learner, _ settings: AgentTrainingSettings, from checkpoint: Checkpoint
    ) throws -> AgentProgress {
        let file = checkpoint.file
        func refuse(_ code: CheckpointError.Code, _ why: String) -> CheckpointError {
            CheckpointError(code, "the checkpoint \(file.name) belongs to another \(why)")
        }
        guard checkpoint.manifest.seed == settings.seed else {
            throw refuse(
                .otherRun,
                "run: its seed is \(checkpoint.manifest.seed), the configuration's \(settings.seed)")
        }
        try restoreWeights(of: learner, from: file, prefix: "model.")
        do {
            for (name, optimizer) in learner.optimizers {
                try optimizer.loadState(from: try part(of: file, optimizer: name))
            }
        } catch let error as OptimizerStateError {
            throw refuse(.otherRun, "run, with another rule: \(error.message)")
        }
        var metadata: [String: String] = [:]
        for (key, text) in file.metadata where key.hasPrefix(learnerPrefix) {
            metadata[String(key.dropFirst(learnerPrefix.count))] = text
        }
        do {
            try learner.restore(metadata, from: file)
            return try LearnerState.value(
                AgentProgress.self, file.metadata[progressKey], of: "the run", in: file)
        } catch let error as LearnerStateError {
            throw refuse(.otherRun, "run: \(error.message)")
        }
    }

    /// Overwrites the networks' weights.
    /// - Throws: `CheckpointError` (`otherModel`).
    static func restoreWeights(
        of learner: any Learner, from file: SafetensorsFile, prefix: String = ""
    ) throws {
        do {
            for network in learner.networks {
                try network.module.loadState(from: file, prefix: "\(prefix)\(network.name).")
            }
        } catch let error as StateDictionaryError {
            throw CheckpointError(
                .otherModel, "the weights in \(file.name) belong to another agent: \(error.message)")
        }
    }

    /// The state of one optimizer, as it would be in a file of its own.
    private static func part(of file: SafetensorsFile, optimizer name: String) throws -> SafetensorsFile {
        let prefix = prefix(ofOptimizer: name)
        let entries = try file.tensors.filter { $0.name.hasPrefix(prefix) }.map {
            try TensorEntry(
                name: String($0.name.dropFirst(prefix.count)), type: $0.type, shape: $0.shape, data: $0.data)
        }
        var metadata: [String: String] = [:]
        metadata["optimizer"] = file.metadata[key(ofOptimizer: name)]
        return try SafetensorsFile(tensors: entries, metadata: metadata)
    }
}
