/// How a call of ``Trainer/train(pausingAt:)`` ended.
public enum TrainingEnd: Sendable {
    /// All steps were taken, or the run was stopped early.
    case finished(TrainingResult)
    /// The run waits with a checkpoint.
    case paused(PausedRun)
}

/// Where a run of a model or an agent waits, and how good it is there.
public struct PausedRun: Codable, Sendable, Equatable {
    /// Steps taken: logical ones, or those of an agent in its environment.
    public var step: Int
    /// What was measured on: `validation`, `test` where nothing is held out, or an agent's `episodes`.
    public var on: String
    /// What was measured, by the names that a result has: `validation.loss`, `return`.
    public var metrics: [String: Double]

    public init(step: Int, on: String, metrics: [String: Double]) {
        self.step = step
        self.on = on
        self.metrics = metrics
    }
}
