import Foundation
import Safetensors

/// The checkpoints of a run: the last two, and the best by evaluation.
public struct CheckpointStore: Sendable {
    /// How many of the latest are kept: one to use, and one in case that one is damaged.
    static let kept = 2

    public let directory: URL

    public init(directory: URL) { self.directory = directory }

    /// The file of the checkpoint after `step` steps.
    public func url(step: Int) -> URL {
        let digits = String(step)
        let zeros = String(repeating: "0", count: max(0, 9 - digits.count))
        return directory.appendingPathComponent("step-\(zeros)\(digits).safetensors")
    }

    /// The file of the best checkpoint.
    public var best: URL { directory.appendingPathComponent("best.safetensors") }

    /// The steps that have a checkpoint file, newest first.
    public func steps() throws -> [Int] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw FileError(
                path: directory.path, operation: .open, reason: .missing,
                detail: "there are no checkpoints here")
        }
        return names.compactMap { name in
            guard name.hasPrefix("step-"), name.hasSuffix(".safetensors") else { return nil }
            return Int(name.dropFirst("step-".count).dropLast(".safetensors".count))
        }.sorted(by: >)
    }

    /// Writes the checkpoint of `manifest.step`, then removes those before the last two.
    public func save(
        _ manifest: CheckpointManifest, _ tensors: [TensorSource], metadata: [String: String] = [:]
    ) throws {
        try Checkpoint.write(
            manifest: manifest, tensors: tensors, metadata: metadata, to: url(step: manifest.step))
        try removeOld(before: manifest.step)
    }

    /// Removes what is before the last two checkpoints, of which `step` is the newer. A run that was killed while it saved may have
    /// left more.
    public func removeOld(before step: Int) throws {
        try AtomicFile.removeAbandoned(in: directory)
        for old in try steps().filter({ $0 < step }).dropFirst(Self.kept - 1) {
            try? FileManager.default.removeItem(at: url(step: old))
        }
    }

    /// Writes the best checkpoint.
    public func saveBest(
        _ manifest: CheckpointManifest, _ tensors: [TensorSource], metadata: [String: String] = [:]
    ) throws {
        try Checkpoint.write(manifest: manifest, tensors: tensors, metadata: metadata, to: best)
    }

    /// The newest checkpoint that is whole, and the errors of newer ones that are damaged.
    ///
    /// - Throws: ``CheckpointError``: `missing` if there is none, `damaged` if none is whole, and
    ///   `futureVersion`, since going back behind a newer peo's work would lose it silently.
    public func latest() throws -> (checkpoint: Checkpoint, damaged: [CheckpointError]) {
        var damaged: [CheckpointError] = []
        for step in try steps() {
            do {
                return (try Checkpoint(contentsOf: url(step: step)), damaged)
            } catch let error as CheckpointError where error.code == .damaged {
                damaged.append(error)
            }
        }
        guard let first = damaged.first else {
            throw CheckpointError(.missing, "there is no checkpoint in \(directory.path) to resume from")
        }
        throw CheckpointError(
            .damaged,
            damaged.count == 1
                ? "\(first.message); there is no other to resume from"
                : damaged.map(\.message).joined(separator: "; ") + "; there is no other to resume from")
    }
}
