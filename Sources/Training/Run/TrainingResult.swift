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
    /// What the stability controller did.
    public var skippedSteps: Int
    public var rollbacks: Int
    public var clippedSteps: Int
    public var boundedSteps: Int
}
