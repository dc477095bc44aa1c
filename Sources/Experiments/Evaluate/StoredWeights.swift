import Foundation
import Safetensors
import TorchNN
import Training

/// The weights that a run's directory has, found without loading its data.
struct StoredWeights {
    private enum Source {
        case file(SafetensorsFile, step: Int)
        case checkpoint(Checkpoint)
    }

    let weights: RunWeights
    /// Checkpoints that were damaged and passed over.
    let warnings: [String]
    private let source: Source

    /// - Throws: `FileError` where no run is there, or it has no such weights; `CheckpointError`, `SafetensorsError` for
    ///   a damaged file.
    init(run url: URL, _ wanted: RunWeights?) throws {
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
        }
        func missing(_ url: URL, _ why: String) -> FileError {
            FileError(path: url.path, operation: .open, reason: .missing, detail: why)
        }
        guard exists("config.yaml") else {
            throw missing(url, "no run is there (a run is a directory with a config.yaml)")
        }
        // The file of a run that was finished once, and goes on, is older than its checkpoints.
        let isFinished = exists("result.json")
        let store = CheckpointStore(directory: url.appendingPathComponent("checkpoints"))
        weights = wanted ?? (isFinished ? .final : .latest)
        let resume = "go on with: peo train --resume \(url.relativePath)"
        switch weights {
        case .final:
            let file = url.appendingPathComponent("model.safetensors")
            guard isFinished else {
                throw missing(
                    file, "the run is not finished; allowed: the best or latest weights, or \(resume)")
            }
            let result = try TrainingResult(contentsOf: url.appendingPathComponent("result.json"))
            source = .file(try SafetensorsFile(contentsOf: file), step: result.steps)
            warnings = []
        case .best:
            guard FileManager.default.fileExists(atPath: store.best.path) else {
                throw missing(store.best, "the run has no best weights yet; \(resume)")
            }
            source = .checkpoint(try Checkpoint(contentsOf: store.best))
            warnings = []
        case .latest:
            guard try !store.steps().isEmpty else {
                throw missing(store.directory, "the run has no checkpoint yet; \(resume)")
            }
            let (checkpoint, damaged) = try store.latest()
            source = .checkpoint(checkpoint)
            warnings = damaged.map {
                "\($0.message); measured by the one of step \(checkpoint.manifest.step) instead"
            }
        }
    }

    /// Puts them into the plan's model.
    /// - Returns: logical steps that they have taken.
    func install(in plan: TrainingPlan) throws -> Int {
        defer { plan.roundWeights() }
        switch source {
        case .file(let file, let step):
            try plan.model.loadState(from: file)
            return step
        case .checkpoint(let checkpoint):
            try checkpoint.installJudgedWeights(in: plan, isBest: weights == .best)
            return checkpoint.manifest.step
        }
    }
}
