/// A checkpoint that cannot be used, and why.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the failure, for programs.
    public enum Code: String, Sendable {
        /// The file is cut short, or its contents differ from what was written: a bit has changed.
        case damaged = "checkpoint.damaged"
        /// A later version of peo wrote it.
        case futureVersion = "checkpoint.futureVersion"
        /// It belongs to another model: other parameters, or other shapes.
        case otherModel = "checkpoint.otherModel"
        /// It belongs to a run with other settings.
        case otherRun = "checkpoint.otherRun"
        /// There is none.
        case missing = "checkpoint.missing"
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
