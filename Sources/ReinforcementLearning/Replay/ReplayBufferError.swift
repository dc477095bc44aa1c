/// A replay buffer that cannot be made or read; the message names the size or the fault, and what is allowed.
public struct ReplayBufferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the failure, for programs.
    public enum Code: String, Sendable, CaseIterable {
        /// A capacity, an observation or an action of a size that makes no sense.
        case size
        /// More memory than the machine has free.
        case memory
        /// A saved buffer that is damaged or of another shape.
        case saved
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
