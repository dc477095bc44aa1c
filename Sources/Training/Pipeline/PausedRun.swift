/// How a call of ``Trainer/train(pausingAt:)`` ended.
public enum TrainingEnd: Sendable {
    /// All steps were taken, or the run was stopped early.
    case finished(TrainingResult)
    /// The run waits with a checkpoint.
    case paused(PausedRun)
}

/// Where a run waits, and how good it is there.
public struct PausedRun: Codable, Sendable, Equatable {
    /// Logical steps taken.
    public var step: Int
    public var evaluation: Evaluation
    /// What was measured on: `validation`, or `test` where nothing is held out.
    public var on: String
}
