import Foundation
import Safetensors

/// The JSON dialect of checkpoints and results: sorted keys, and numbers that are not finite as text.
package enum JSON {
    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    /// Writes a value for people too, atomically.
    /// - Throws: `FileError`.
    package static func write(_ value: some Encodable, to url: URL) throws {
        let encoder = encoder()
        encoder.outputFormatting.insert(.prettyPrinted)
        try AtomicFile.write(try encoder.encode(value) + Data("\n".utf8), to: url)
    }

    /// Reads a value back.
    ///
    /// - Parameters:
    ///   - what: what the file is meant to be, for the message: `the report of a search`.
    ///   - remedy: what to do where it is not: `run peo tune again`.
    /// - Throws: `FileError` if it cannot be read; ``CheckpointError`` (`damaged`) if it is something else.
    package static func read<Value: Decodable>(
        _ type: Value.Type = Value.self, from url: URL, as what: String, remedy: String
    ) throws -> Value {
        let data = try MappedFile.contents(of: url)
        do {
            return try decoder().decode(type, from: data)
        } catch {
            throw CheckpointError(.damaged, "\(url.path) is damaged: it is not \(what); \(remedy)")
        }
    }
}
