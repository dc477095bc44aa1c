import Foundation

/// A file that could not be read or written: which, why, and what was being done.
///
/// `reason` is what a command-line tool maps to an exit code: a full disk is an output error (74), a
/// missing directory or a refused permission means that the file cannot be created (73) or read (66).
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why the operation failed, as far as a caller may act on it.
    public enum Reason: String, Sendable {
        /// The file, or a directory on its path, does not exist (`ENOENT`, `ENOTDIR`).
        case missing
        /// The user may not do this, or the file system is read-only (`EACCES`, `EPERM`, `EROFS`).
        case permission
        /// No space or quota is left (`ENOSPC`, `EDQUOT`), or the file would pass a size limit (`EFBIG`).
        case full
        /// Another process is working with it.
        case inUse
        /// A directory or a special file stands where a regular file is needed.
        case notAFile
        /// Anything else, such as an input/output error of the device.
        case other
    }

    /// What was being done to the file.
    public enum Operation: String, Sendable {
        case open, create, read, write, synchronise, rename, lock, remove
    }

    public var path: String
    public var operation: Operation
    public var reason: Reason
    /// The system's error number, 0 if the failure did not come from a system call.
    public var errorNumber: Int32
    /// What the system, or the check that failed, says.
    public var detail: String

    /// Creates the error for a failed system call, with the system's own text for `errorNumber`.
    public init(path: String, operation: Operation, errorNumber: Int32) {
        self.init(
            path: path, operation: operation, reason: Reason(errorNumber: errorNumber),
            errorNumber: errorNumber, detail: String(cString: strerror(errorNumber)))
    }

    /// Creates the error for a check of our own.
    public init(
        path: String, operation: Operation, reason: Reason, errorNumber: Int32 = 0, detail: String
    ) {
        self.path = path
        self.operation = operation
        self.reason = reason
        self.errorNumber = errorNumber
        self.detail = detail
    }

    /// A stable name of the failure: `file.missing`, `file.permission`, `file.full`, `file.inUse`,
    /// `file.notAFile` or `file.other`.
    public var code: String { "file.\(reason.rawValue)" }

    /// One sentence for the user.
    public var message: String {
        let hint =
            switch reason {
            case .missing where operation == .create: " (its directory does not exist)"
            case .full: " (free some space, or write elsewhere)"
            default: ""
            }
        return "cannot \(operation.rawValue) \(path): \(detail)\(hint)"
    }

    public var description: String { message }
}

extension FileError.Reason {
    /// The reason behind a system error number.
    public init(errorNumber: Int32) {
        self =
            switch errorNumber {
            case ENOENT, ENOTDIR: .missing
            case EACCES, EPERM, EROFS: .permission
            case ENOSPC, EDQUOT, EFBIG: .full
            case EISDIR: .notAFile
            default: .other
            }
    }
}
