import Crypto
import Foundation
import Safetensors

/// Fetches published files: resumed where it was cut, checked, and installed by a rename.
///
/// The bytes go to `NAME.part` beside the destination. If that exists, the rest is asked for by an HTTP
/// range that holds only if the file is still the same (`If-Range` with the entity tag or the date of the
/// first answer); a server that sends everything anew is taken at its word. Size and MD5 are compared with the
/// published ones before the file gets its name, so that what has the name is whole. A lock file keeps two
/// processes from fetching the same file at once: the second one waits and then finds it.
public struct Downloader: Sendable {
    /// How often one address is tried when the connection or the server fails (default 3).
    public var attempts: Int
    /// Seconds before the second try; they double from try to try (default 0.5).
    public var delay: Double
    /// Seconds without a byte after which a connection is given up (default 30).
    public var timeout: Double
    /// Whether the network may be used at all (default yes).
    public var isAllowed: Bool
    /// Is told now and then how far a download has come, from any thread.
    public var progress: @Sendable (DownloadProgress) -> Void

    public init(
        attempts: Int = 3, delay: Double = 0.5, timeout: Double = 30, isAllowed: Bool = true,
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) {
        precondition(attempts > 0 && delay >= 0 && timeout > 0)
        self.attempts = attempts
        self.delay = delay
        self.timeout = timeout
        self.isAllowed = isAllowed
        self.progress = progress
    }

    /// Downloads `file` to `destination`, whose directory is made if need be.
    ///
    /// - Throws: ``DatasetError`` if no address gives the file or what they give is another one;
    ///   `FileError` if it cannot be written.
    public func fetch(_ file: RemoteFile, to destination: URL) throws {
        guard isAllowed else { throw DatasetError(.missing, "downloads are not allowed here") }
        let directory = destination.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            let reason: FileError.Reason =
                (error as? CocoaError)?.code == .fileWriteNoPermission ? .permission : .other
            throw FileError(
                path: directory.path, operation: .create, reason: reason, detail: error.localizedDescription)
        }
        let lock = try FileLock(path: destination.path + ".lock")
        defer { lock.release() }
        if FileManager.default.fileExists(atPath: destination.path) { return }

        var failures: [DatasetError] = []
        for address in file.addresses {
            do {
                return try fetch(file, from: address, to: destination)
            } catch let error as DatasetError {
                failures.append(error)
            }
        }
        // A wrong file is the graver finding: somebody should look at it.
        let code = failures.first { $0.code == .checksum }?.code ?? .missing
        throw DatasetError(code, failures.map(\.message).joined(separator: "; "))
    }

    private func fetch(_ file: RemoteFile, from address: URL, to destination: URL) throws {
        let part = try PartialFile(destination: destination, address: address)
        defer { part.close() }
        var attempt = 1
        while true {
            let resumedFrom = part.count
            do {
                try Transfer(file: file, address: address, part: part, timeout: timeout, progress: progress)
                    .run()
                try part.synchronise()
                let sum = try part.md5()
                if sum == file.md5 { return try part.install() }
                try part.restart(validator: nil)
                // An earlier part of another file can spoil the whole: once more from the beginning.
                if resumedFrom > 0 && attempt < attempts {
                    attempt += 1
                    continue
                }
                throw DatasetError(
                    .checksum,
                    "\(address) gives a file with MD5 \(sum), expected \(file.md5); it was not kept")
            } catch let failure as Transfer.Failure {
                guard failure.isTemporary, attempt < attempts else {
                    let tries = attempt > 1 ? " (\(attempt) attempts)" : ""
                    throw DatasetError(
                        .missing, "\(address) cannot be downloaded: \(failure.message)\(tries)")
                }
                Thread.sleep(forTimeInterval: delay * Double(1 << (attempt - 1)))
                attempt += 1
            }
        }
    }
}
