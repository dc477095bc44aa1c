/// An environment that cannot be used, or was used wrongly; the message names it, the value, and what is allowed.
public struct EnvironmentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the failure, for programs.
    public enum Code: String, Sendable, CaseIterable {
        /// A space or a time limit that makes no sense.
        case space
        /// A number of copies that cannot be made.
        case copies
        /// Too few or too many numbers for the actions of all copies.
        case actionCount
        /// An action that is not in the action space.
        case action
        /// The environment gave an observation or a reward that is infinite or not a number.
        case notFinite
        /// A step after such a failure, without a reset.
        case needsReset
        /// A snapshot that is damaged or of other copies.
        case snapshot
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
