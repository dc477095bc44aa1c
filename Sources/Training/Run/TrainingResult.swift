import Foundation

/// The outcome of a run: `result.json`, and what `peo train --json` prints.
public struct TrainingResult: RunResult, Codable, Equatable {
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
    public var metrics: [String: Double] {
        var metrics = test.numbers(prefix: "")
        if let validation { metrics.merge(validation.numbers(prefix: "validation.")) { $1 } }
        metrics["trainingSeconds"] = trainingSeconds
        metrics["gradientEvaluations"] = Double(gradientEvaluations)
        return metrics
    }
}

extension Evaluation {
    /// Every number of the evaluation, by its name.
    package func numbers(prefix: String) -> [String: Double] {
        // Numbers that are not finite become text, and are left out.
        guard let data = try? JSON.encoder().encode(self),
            let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { preconditionFailure("an evaluation is a JSON object") }
        return object.reduce(into: [:]) { numbers, entry in
            guard entry.key != "count", let number = entry.value as? Double else { return }
            numbers[prefix + entry.key] = number
        }
    }
}
