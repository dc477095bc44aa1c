import Foundation

/// A data set that cannot be found, fetched or read; the message names the culprit and the way out.
public struct DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the failure, for programs. ``isMissingInput`` says how a tool should exit.
    public enum Code: String, Sendable, CaseIterable {
        /// No data set of that name is registered.
        case unknown = "dataset.unknown"
        /// A file is neither at hand nor could be downloaded.
        case missing = "dataset.missing"
        /// A file is not what its format asks for: magic number, extents, truncation, bytes too many.
        case format = "dataset.format"
        /// A file is well-formed, but holds values that the data set cannot have.
        case value = "dataset.value"
        /// A file of a known data set is not that data set's file.
        case checksum = "dataset.checksum"
        /// A request that the data set cannot meet, such as a validation split larger than its source.
        case request = "dataset.request"
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether an input is absent (exit code 66), as opposed to bad (65).
    public var isMissingInput: Bool { code == .missing }

    public var description: String { message }
}
