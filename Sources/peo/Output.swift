import Foundation
import Safetensors

/// Standard output, for results only.
enum Output {
    /// Writes text and a line end.
    /// - Throws: `FileError` if it cannot be written; a reader that has gone away is no error.
    static func write(_ text: String) throws {
        try writeBytes(Data((text + "\n").utf8))
    }

    /// Writes one line of JSON.
    static func writeJSON(_ value: some Encodable) throws { try write(try json(value)) }

    /// A value as one line of JSON.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func writeBytes(_ data: Data) throws {
        _ = try data.withUnsafeBytes { try writeBytes($0) }
    }

    /// Writes bytes.
    /// - Returns: false if the reader has gone away.
    /// - Throws: `FileError` if they cannot be written.
    static func writeBytes(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { return false }
                throw FileError(path: "standard output", operation: .write, errorNumber: errno)
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Writes a line to standard error.
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
