import Foundation
import Safetensors

/// A lock that one process at a time holds, by `flock` on a file that is left behind empty.
package final class FileLock {
    private var descriptor: Int32

    /// Waits for the lock.
    package init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .create, errorNumber: errno) }
        while flock(descriptor, LOCK_EX) != 0 {
            if errno == EINTR { continue }
            let error = FileError(path: path, operation: .lock, errorNumber: errno)
            close(descriptor)
            throw error
        }
    }

    package func release() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    deinit { release() }
}
