/// A tokenizer's file that cannot be used, or tokens that it does not have.
public struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name for a kind of failure, for programs to branch on.
    public enum Code: String, Sendable {
        /// The file is not of the format that it should be.
        case format
        /// The file asks for a kind of tokenizer that is not GPT-2's.
        case unsupported
        /// A number is no token of this vocabulary.
        case unknownToken
    }

    public let code: Code
    /// Names the file and the line or key, the value, and what is allowed.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
