import Crypto
import Foundation
import Safetensors

/// The part of a download that is at hand, and the version of the file that it is part of.
///
/// Used under the destination's ``FileLock``, and by one thread at a time.
final class PartialFile: @unchecked Sendable {
    private let destination: URL
    private let path: String
    private let noteURL: URL
    private let address: URL
    private var descriptor: Int32
    /// Bytes at hand.
    private(set) var count: Int
    /// The strong entity tag, or else the date, of the file that the bytes at hand are part of; `nil` if the
    /// server told neither, and the download can then not be resumed.
    private(set) var validator: String?

    init(destination: URL, address: URL) throws {
        self.destination = destination
        self.address = address
        path = destination.path + ".part"
        noteURL = URL(fileURLWithPath: destination.path + ".part.version")
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .create, errorNumber: errno) }
        count = Int(lseek(descriptor, 0, SEEK_END))
        // The note says which address and which version the bytes belong to. Without it they are of no use.
        let note = (try? String(contentsOf: noteURL, encoding: .utf8))?.split(separator: "\n").map(
            String.init)
        if let note, note.count == 2, note[0] == address.absoluteString {
            validator = note[1]
        } else if count > 0 {
            try restart(validator: nil)
        }
    }

    deinit { close() }

    /// Ends the use of the file; if nothing is at hand, there is nothing to resume, and no litter is left.
    func close() {
        guard descriptor >= 0 else { return }
        if count == 0 {
            unlink(path)
            unlink(noteURL.path)
        }
        Foundation.close(descriptor)
        descriptor = -1
    }

    /// Forgets the bytes at hand; those that follow belong to the version `validator`.
    func restart(validator: String?) throws {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw FileError(path: path, operation: .write, errorNumber: errno)
        }
        count = 0
        self.validator = validator
        if let validator {
            try AtomicFile.write(Data("\(address.absoluteString)\n\(validator)\n".utf8), to: noteURL)
        } else {
            unlink(noteURL.path)
        }
    }

    func append(_ data: Data) throws {
        let sink = FileSink(descriptor: descriptor, path: path)
        defer { count += sink.count }
        try sink.write(data)
    }

    func synchronise() throws {
        guard fsync(descriptor) == 0 else {
            throw FileError(path: path, operation: .synchronise, errorNumber: errno)
        }
    }

    /// The MD5 of the bytes at hand, in hexadecimal digits.
    func md5() throws -> String {
        Insecure.MD5.hash(data: try MappedFile.contents(of: URL(fileURLWithPath: path))).hexadecimal
    }

    /// Gives the file its name.
    func install() throws {
        guard rename(path, destination.path) == 0 else {
            throw FileError(path: destination.path, operation: .rename, errorNumber: errno)
        }
        unlink(noteURL.path)
    }

}
