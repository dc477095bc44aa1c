import Foundation

/// An exclusive lock on a directory; the system drops it when the process ends, however it ends.
package final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// How often a lock that is held is tried again, and how long apart, in microseconds: whoever only looks whether a run is
    /// in use (``isHeld(in:)``) holds it for an instant.
    private static let (attempts, pause) = (5, UInt32(10_000))

    /// - Parameter work: what another process would be working on, for the message: `this run`.
    /// - Throws: `FileError` (`inUse`) if another process has it.
    package init(_ directory: URL, work: String) throws {
        let path = directory.appendingPathComponent(".lock").path
        descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .create, errorNumber: errno) }
        var attempt = 1
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            guard code == EWOULDBLOCK, attempt < Self.attempts else {
                close(descriptor)
                throw code == EWOULDBLOCK
                    ? FileError(
                        path: directory.path, operation: .lock, reason: .inUse,
                        detail: "another process is working on \(work)")
                    : FileError(path: path, operation: .lock, errorNumber: code)
            }
            attempt += 1
            usleep(Self.pause)
        }
    }

    deinit { close(descriptor) }

    /// Whether some process holds the lock of a directory.
    package static func isHeld(in directory: URL) -> Bool {
        let descriptor = Foundation.open(
            directory.appendingPathComponent(".lock").path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
