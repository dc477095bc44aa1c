/// What libtorch refused, or could not do.
///
/// Mistakes in shapes are the programmer's and trap, with the operation and both shapes; this error is for
/// what a correct program can meet: no memory, a backward pass without a graph, data of the wrong size.
public struct TorchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name for a kind of failure, for programs to branch on.
    public enum Code: String, Sendable {
        /// libtorch refused the call: a wrong shape, type or state.
        case refused
        /// An index is outside its range.
        case indexOutOfRange
        /// There is no memory for the result.
        case outOfMemory
        /// libtorch has no kernel for this type or device.
        case notImplemented
        /// A TorchScript module failed on its input.
        case script
        /// A C++ exception of an unknown kind.
        case unknown
    }

    public let code: Code
    /// What was called, such as `"backward"`.
    public let operation: String
    /// libtorch's own words.
    public let message: String

    public init(code: Code, operation: String, message: String) {
        self.code = code
        self.operation = operation
        self.message = message
    }

    public var description: String { "\(operation): \(message) [\(code.rawValue)]" }
}

/// Stops the program with a message where a caller broke the rules (`precondition` would be silent in release), unless
/// it works on the empty tensors that a held failure leaves (see `Libtorch.checkHeldFailure`).
@inline(__always)
package func demand(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds && !Libtorch.holdsFailure { fatalError(message()) }
}
