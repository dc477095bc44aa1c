/// Why a run stopped before its end with everything saved: exit code 75.
public struct TrainingStopped: Error, Sendable, CustomStringConvertible {
    /// A stable name of the reason.
    public enum Code: String, Sendable {
        /// Ctrl-C, or a polite kill.
        case interrupted = "training.interrupted"
        /// The stability controller gave up: the loss stays too high, or is not a number.
        case diverged = "training.diverged"
    }

    public var code: Code
    /// What happened.
    public var message: String
    /// Logical steps taken.
    public var step: Int
    /// The step of the checkpoint to go on from; nil if none was written.
    public var checkpointStep: Int?

    public init(_ code: Code, _ message: String, step: Int, checkpointStep: Int?) {
        self.code = code
        self.message = message
        self.step = step
        self.checkpointStep = checkpointStep
    }

    public var description: String { message }
}
