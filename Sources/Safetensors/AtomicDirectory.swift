import Foundation

/// Makes directories that a reader finds whole or not at all.
public enum AtomicDirectory {
    /// Puts a directory with what `body` writes at `url`, in place of what was there.
    ///
    /// It is filled under another name beside, `.peo-<name>.partial`, and renamed when it is complete. A process that is
    /// killed leaves at most that, which the next call removes. One process at a time may write to one place.
    ///
    /// - Parameter body: writes the files, by ``AtomicFile``, into the directory that it is given.
    /// - Throws: ``FileError``, or what `body` throws; what was at `url` is then as it was.
    public static func write(to url: URL, _ body: (URL) throws -> Void) throws {
        let parent = url.deletingLastPathComponent()
        let name = url.lastPathComponent
        let scratch = parent.appendingPathComponent(".peo-\(name).partial")
        let old = parent.appendingPathComponent(".peo-\(name).old")
        func clear() {
            for left in [scratch, old] { try? FileManager.default.removeItem(at: left) }
        }
        clear()
        defer { clear() }
        guard mkdir(scratch.path, 0o755) == 0 else {
            throw FileError(path: url.path, operation: .create, errorNumber: errno)
        }
        try body(scratch)
        // A rename replaces no directory that has something in it.
        let replaces = rename(url.path, old.path) == 0
        guard replaces || errno == ENOENT, rename(scratch.path, url.path) == 0 else {
            let code = errno
            if replaces { _ = rename(old.path, url.path) }
            throw FileError(path: url.path, operation: .rename, errorNumber: code)
        }
    }
}
