import Foundation

/// Where the bytes of a file under construction go: a file descriptor with typed errors.
///
/// A sink is made by ``AtomicFile`` and is valid only inside the closure that receives it. Writes are not
/// buffered: hand over large pieces.
public final class FileSink {
    private let descriptor: Int32
    private let path: String
    /// How many bytes have been written.
    public private(set) var count = 0

    /// Creates a sink for an open `descriptor`; `path` is what errors call it.
    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Writes all of `bytes`.
    ///
    /// - Throws: ``FileError`` if the system takes less than everything, for example on a full disk.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let start = rest.baseAddress, rest.count > 0 {
            #if canImport(Darwin)
                let written = Darwin.write(descriptor, start, min(rest.count, 1 << 30))
            #else
                let written = Glibc.write(descriptor, start, min(rest.count, 1 << 30))
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw FileError(path: path, operation: .write, errorNumber: errno)
            }
            count += written
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Writes all of `data`.
    public func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    /// Writes `text` as UTF-8.
    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }
}
