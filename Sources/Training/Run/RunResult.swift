import Foundation
import Safetensors

/// The outcome of a run, whatever was trained: what is in `result.json`.
public protocol RunResult: Codable, Sendable {
    var status: TrainingResult.Status { get }
    /// Steps taken.
    var steps: Int { get }
    /// Wall time of training without evaluation and saving, over all sessions.
    var trainingSeconds: Double { get }
    /// What the stability controller and the closed loops did.
    var stability: StabilityReport { get }
    /// The numbers of the result that runs can be compared by.
    var metrics: [String: Double] { get }
}

extension RunResult {
    /// The result as JSON.
    public func json(pretty: Bool) throws -> Data {
        let encoder = JSON.encoder()
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return try encoder.encode(self)
    }

    /// Writes a `result.json`, atomically.
    /// - Throws: `FileError`.
    package func write(to url: URL) throws {
        try AtomicFile.write(json(pretty: true) + Data("\n".utf8), to: url)
    }

    /// Reads a `result.json`.
    /// - Throws: `FileError` if it cannot be read; `CheckpointError` (`damaged`) if it is not one.
    public init(contentsOf url: URL) throws {
        self = try JSON.read(from: url, as: "the result of a run", remedy: "remove it to resume")
    }
}
