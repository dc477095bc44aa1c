import Foundation
import Safetensors

/// A saved state that does not belong to an agent, or is damaged; names the file and the fault.
public struct LearnerStateError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// An agent whose learning cannot go on: what happened, and what to change.
public struct LearnerDivergence: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

extension LearnerState {
    /// A value as text that ``value(_:_:of:in:)`` reads back to the same bits.
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: ``LearnerStateError`` where the text is missing or something else.
    static func value<Value: Decodable>(
        _ type: Value.Type, _ text: String?, of algorithm: String, in file: SafetensorsFile
    ) throws -> Value {
        guard let text else {
            throw LearnerStateError("\(file.name): it has no state of \(algorithm)")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw LearnerStateError("\(file.name): the state of \(algorithm) is damaged: \(error)")
        }
    }
}
