import Foundation
import Safetensors

/// An exclusive lock on a directory; the system drops it when the process ends, however it ends.
package final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Parameter work: what another process would be working on, for the message: `this run`.
    /// - Throws: `FileError`: `inUse` where another process has the lock.
    package init(_ directory: URL, work: String) throws {
        let path = directory.appendingPathComponent(".lock").path
        descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .create, errorNumber: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK
                ? FileError(
                    path: directory.path, operation: .lock, reason: .inUse,
                    detail: "another process is working on \(work)")
                : FileError(path: path, operation: .lock, errorNumber: code)
        }
    }

    deinit { close(descriptor) }
}
