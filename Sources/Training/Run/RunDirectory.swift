import Datasets
import Foundation
import Safetensors

/// The directory of one run.
///
/// | Name | What it is |
/// |---|---|
/// | `config.yaml` | the resolved configuration: every default filled in |
/// | `run.json` | seed, versions, machine, and the sessions that worked on the run |
/// | `metrics.jsonl` | one ``MetricsRecord`` a line |
/// | `events.out.tfevents.…` | the same for TensorBoard |
/// | `checkpoints/` | the last two, and the best |
/// | `model.safetensors` | the trained weights, with PyTorch's keys |
/// | `model.pt` | the same as TorchScript, where the model came as such |
/// | `tokenizer/` | how the model's tokens are text, where they are |
/// | `result.json` | the outcome, written when the run ends |
///
/// A run never overwrites another: ``create(at:config:)`` takes the next free name.
public struct RunDirectory: Sendable {
    public let url: URL
    /// Keeps other processes out of the run while this one works on it.
    private let lock: DirectoryLock

    public var config: URL { url.appendingPathComponent("config.yaml") }
    public var information: URL { url.appendingPathComponent("run.json") }
    public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
    public var model: URL { url.appendingPathComponent("model.safetensors") }
    public var tokenizer: URL { url.appendingPathComponent("tokenizer") }
    public var result: URL { url.appendingPathComponent("result.json") }
    public var checkpoints: CheckpointStore {
        CheckpointStore(directory: url.appendingPathComponent("checkpoints"))
    }

    /// Makes the directory of a new run: `wanted`, or `wanted-2`, `wanted-3`… if that exists.
    ///
    /// The directory appears under its name only once it is complete.
    /// - Parameters:
    ///   - config: the text of `config.yaml`.
    ///   - exactly: whether no other name than `wanted` will do.
    /// - Throws: `FileError`; `inUse` where `wanted` exists and no other name will do.
    public static func create(
        at wanted: URL, config: String, exactly: Bool = false
    ) throws -> RunDirectory {
        let parent = wanted.deletingLastPathComponent()
        try makeDirectory(parent, intermediate: true)
        let scratch = parent.appendingPathComponent(".peo-run-\(UInt64.random(in: .min ... .max))")
        try makeDirectory(scratch)
        do {
            try AtomicFile.write(Data(config.utf8), to: scratch.appendingPathComponent("config.yaml"))
            try makeDirectory(scratch.appendingPathComponent("checkpoints"))
            let lock = try DirectoryLock(scratch, work: "this run")
            var number = 1
            while true {
                let suffix = number == 1 ? "" : "-\(number)"
                let place = parent.appendingPathComponent(wanted.lastPathComponent + suffix)
                // Renaming a directory replaces an empty one only, so nothing of value can be lost; an
                // existing directory, even an empty one, is left alone all the same.
                if !FileManager.default.fileExists(atPath: place.path) {
                    if rename(scratch.path, place.path) == 0 { return RunDirectory(url: place, lock: lock) }
                    guard errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR else {
                        throw FileError(path: place.path, operation: .create, errorNumber: errno)
                    }
                }
                guard !exactly else {
                    throw FileError(
                        path: place.path, operation: .create, reason: .inUse,
                        detail: "another process has made a run there")
                }
                number += 1
            }
        } catch {
            try? FileManager.default.removeItem(at: scratch)
            throw error
        }
    }

    /// Opens a run to go on with it.
    /// - Throws: `FileError` if there is none, or if another process is at work on it.
    public static func open(_ url: URL) throws -> RunDirectory {
        let config = url.appendingPathComponent("config.yaml")
        guard FileManager.default.fileExists(atPath: config.path) else {
            throw FileError(
                path: url.path, operation: .open, reason: .missing,
                detail: "no run is there (a run is a directory with a config.yaml)")
        }
        let run = RunDirectory(url: url, lock: try DirectoryLock(url, work: "this run"))
        // The lock is ours, so whatever is unfinished was left by a process that was killed.
        for directory in [url, run.checkpoints.directory] {
            _ = try? AtomicFile.removeAbandoned(in: directory, olderThan: 0)
        }
        return run
    }

    /// Keeps the vocabulary of the run's data, unless it is kept already. The directory appears once it is complete.
    /// - Throws: `FileError`.
    public func keep(_ vocabulary: TextVocabulary) throws {
        guard !FileManager.default.fileExists(atPath: tokenizer.path) else { return }
        let scratch = url.appendingPathComponent(".tokenizer-\(UInt64.random(in: .min ... .max))")
        try Self.makeDirectory(scratch)
        do {
            try vocabulary.keep(in: scratch)
            guard rename(scratch.path, tokenizer.path) == 0 else {
                throw FileError(path: tokenizer.path, operation: .rename, errorNumber: errno)
            }
        } catch {
            try? FileManager.default.removeItem(at: scratch)
            throw error
        }
    }

    /// Notes in `run.json` how this process leaves the run.
    ///
    /// A note that cannot be written is left out: the run's own outcome is what counts, and a session without an end shows as
    /// one that was killed.
    public func noteEnd(_ end: RunInformation.End, message: String? = nil) {
        guard var facts = try? RunInformation(contentsOf: information) else { return }
        facts.endSession(end, message: message)
        try? facts.write(to: information)
    }

    /// Gives a run another configuration, with more to do: its result goes first, so that a process which is killed in
    /// between leaves the run as it was before its end.
    /// - Throws: `FileError`.
    public func extend(config text: String) throws {
        if unlink(result.path) != 0, errno != ENOENT {
            throw FileError(path: result.path, operation: .remove, errorNumber: errno)
        }
        try AtomicFile.write(Data(text.utf8), to: config)
    }

    private static func makeDirectory(_ url: URL, intermediate: Bool = false) throws {
        if intermediate {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory),
                isDirectory.boolValue
            {
                return
            }
            let above = url.deletingLastPathComponent()
            if above.path != url.path { try makeDirectory(above, intermediate: true) }
        }
        if mkdir(url.path, 0o755) != 0, !(intermediate && errno == EEXIST) {
            throw FileError(path: url.path, operation: .create, errorNumber: errno)
        }
    }
}
