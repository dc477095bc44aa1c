import Foundation

/// Replaces files so that a reader sees the old contents or the new, never a mixture, whatever happens.
///
/// The new contents go to a temporary file in the same directory, which is flushed to the disk, renamed
/// over the destination, and made durable by flushing the directory. A failure (a full disk, an error
/// thrown by the caller) removes the temporary file and leaves the destination as it was. A process that
/// is killed leaves at most a temporary file, which ``removeAbandoned(in:olderThan:)`` clears away.
///
/// A symbolic link at the destination is replaced, not followed.
public enum AtomicFile {
    /// What temporary files begin with; they end in `.tmp`.
    static let temporaryPrefix = ".peo-"

    /// Replaces the file at `url` by what `body` writes.
    ///
    /// - Parameters:
    ///   - url: the destination; its directory must exist.
    ///   - body: writes the contents to the sink, which must not be used afterwards.
    /// - Returns: what `body` returns.
    /// - Throws: ``FileError``, naming the destination; or what `body` throws.
    @discardableResult
    public static func write<Result>(to url: URL, _ body: (FileSink) throws -> Result) throws -> Result {
        let destination = url.path
        let directory = url.deletingLastPathComponent().path
        let (descriptor, temporary) = try createTemporary(in: directory, for: destination)
        var isOpen = true
        do {
            let result = try body(FileSink(descriptor: descriptor, path: destination))
            guard fsync(descriptor) == 0 else {
                throw FileError(path: destination, operation: .synchronise, errorNumber: errno)
            }
            guard rename(temporary, destination) == 0 else {
                throw FileError(path: destination, operation: .rename, errorNumber: errno)
            }
            // The lock on the temporary file lasts until here, so that nobody takes it for abandoned.
            isOpen = false
            guard close(descriptor) == 0 else {
                throw FileError(path: destination, operation: .write, errorNumber: errno)
            }
            try synchroniseDirectory(directory)
            return result
        } catch {
            if isOpen { close(descriptor) }
            unlink(temporary)
            throw error
        }
    }

    /// Replaces the file at `url` by `data`.
    public static func write(_ data: Data, to url: URL) throws {
        try write(to: url) { try $0.write(data) }
    }

    /// Removes the temporary files that killed writers left in `directory`.
    ///
    /// A file counts as abandoned if no process holds its lock and it was last written to longer than
    /// `olderThan` seconds ago (default one minute), which covers the instant between making and locking.
    ///
    /// - Returns: how many files were removed.
    @discardableResult
    public static func removeAbandoned(in directory: URL, olderThan seconds: Double = 60) throws -> Int {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw FileError(
                path: directory.path, operation: .open, reason: .missing, detail: error.localizedDescription)
        }
        var removed = 0
        for name in names where name.hasPrefix(temporaryPrefix) && name.hasSuffix(".tmp") {
            let path = directory.appendingPathComponent(name).path
            let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0,
                Date().timeIntervalSince1970 - Double(status.modificationSeconds) >= seconds,
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            if unlink(path) == 0 { removed += 1 }
        }
        return removed
    }

    /// Opens and locks a new temporary file; its name does not depend on the destination's, which may
    /// already have the greatest length that the file system allows.
    private static func createTemporary(
        in directory: String, for destination: String
    ) throws -> (descriptor: Int32, path: String) {
        for _ in 0..<100 {
            let tag = String(UInt64.random(in: .min ... .max), radix: 36)
            let path = "\(directory)/\(temporaryPrefix)\(getpid())-\(tag).tmp"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                // A file system without locks only loses the protection from `removeAbandoned`.
                _ = flock(descriptor, LOCK_EX | LOCK_NB)
                return (descriptor, path)
            }
            if errno != EEXIST && errno != EINTR { break }
        }
        throw FileError(path: destination, operation: .create, errorNumber: errno)
    }

    /// Flushes the names in a directory. Some file systems cannot, and say so by `EINVAL`.
    private static func synchroniseDirectory(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError(path: path, operation: .open, errorNumber: errno)
        }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP {
            throw FileError(path: path, operation: .synchronise, errorNumber: errno)
        }
    }
}

extension stat {
    fileprivate var modificationSeconds: Int {
        #if canImport(Darwin)
            st_mtimespec.tv_sec
        #else
            st_mtim.tv_sec
        #endif
    }
}
