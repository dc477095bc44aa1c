import Foundation
import Safetensors

/// The outcome of a run: `result.json`, and what `peo train --json` prints.
public struct TrainingResult: Codable, Sendable, Equatable {
    /// How the run ended.
    public enum Status: String, Codable, Sendable {
        /// All steps were taken.
        case completed
        /// The evaluation had stopped to improve.
        case stoppedEarly
    }

    public var status: Status
    /// The configuration's name, the model's and the data set's.
    public var name: String
    public var model: String
    public var data: String
    /// The number of the model's weights.
    public var parameters: Int
    public var seed: UInt64
    /// Logical steps taken, and epochs begun.
    public var steps: Int
    public var epochs: Int
    /// Wall time of training without evaluation and saving, over all sessions, and the speed in it.
    public var trainingSeconds: Double
    public var stepsPerSecond: Double
    /// On the test data, with the final weights.
    public var test: Evaluation
    /// On the held-out data, with the final weights.
    public var validation: Evaluation?
    /// The best evaluation during the run (`on` says on what); its weights are `checkpoints/best.safetensors`.
    public var best: TrainingProgress.Best?
    public var bestOn: String
    /// What the stability controller and the closed loops did.
    public var stability: StabilityReport
    /// What the steps cost: forward passes with a backward pass, and forward passes alone, each over a logical batch.
    public var gradientEvaluations: Int
    public var lossEvaluations: Int
}

extension TrainingResult {
    /// Reads a `result.json`.
    /// - Throws: `FileError` if it cannot be read; `CheckpointError` (`damaged`) if it is not one.
    public init(contentsOf url: URL) throws {
        self = try JSON.read(from: url, as: "the result of a run", remedy: "remove it to resume")
    }

    /// The result as JSON.
    public func json(pretty: Bool) throws -> Data {
        let encoder = JSON.encoder()
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return try encoder.encode(self)
    }
}
