import Foundation

/// A JSON text read strictly: what is doubtful, such as a key that is given twice, is refused, since readers differ in what
/// they make of it. Memory is linear in the text's length.
package enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    /// Written as digits alone, with or without a minus.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// How deep arrays and objects may be nested.
    package static let greatestDepth = 64

    /// Reads one value.
    /// - Throws: `JSONError`.
    package init(_ data: Data) throws {
        self = try data.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            let value = try JSONValue(&scanner, depth: 0)
            try scanner.end(after: "the value")
            return value
        }
    }

    private init(_ scanner: inout JSONScanner, depth: Int) throws {
        guard depth <= Self.greatestDepth else {
            throw scanner.error("values nested deeper than \(Self.greatestDepth)")
        }
        switch scanner.peek() {
        case UInt8(ascii: "{"):
            var object = JSONObject()
            try scanner.object { scanner, key in
                guard object.add(key, try JSONValue(&scanner, depth: depth + 1)) else {
                    throw scanner.error("the key '\(key.prefix(60))' is given twice")
                }
            }
            self = .object(object)
        case UInt8(ascii: "["):
            var array: [JSONValue] = []
            try scanner.array { array.append(try JSONValue(&$0, depth: depth + 1)) }
            self = .array(array)
        case UInt8(ascii: "\""): self = .string(try scanner.string())
        case UInt8(ascii: "t"): self = try Self.word("true", .boolean(true), &scanner)
        case UInt8(ascii: "f"): self = try Self.word("false", .boolean(false), &scanner)
        case UInt8(ascii: "n"): self = try Self.word("null", .null, &scanner)
        case nil: throw scanner.error("expected a value, found the end")
        default: self = try Self.number(&scanner)
        }
    }

    private static func word(_ word: StaticString, _ value: JSONValue, _ scanner: inout JSONScanner) throws
        -> JSONValue
    {
        for offset in 0..<word.utf8CodeUnitCount {
            guard scanner.next(among: { $0 == word.utf8Start[offset] }) != nil else {
                throw scanner.error("expected '\(word)'")
            }
        }
        return value
    }

    private static func number(_ scanner: inout JSONScanner) throws -> JSONValue {
        var text: [UInt8] = []
        func digits() throws {
            guard let first = scanner.next(among: isDigit) else { throw scanner.error("expected a value") }
            text.append(first)
            while let digit = scanner.next(among: isDigit) { text.append(digit) }
        }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        if let minus = scanner.next(among: { $0 == UInt8(ascii: "-") }) { text.append(minus) }
        let start = text.count
        try digits()
        guard text.count == start + 1 || text[start] != 0x30 else {
            throw scanner.error("a number with a zero before its digits")
        }
        var isWhole = text != Array("-0".utf8)
        if let point = scanner.next(among: { $0 == UInt8(ascii: ".") }) {
            text.append(point)
            try digits()
            isWhole = false
        }
        if let power = scanner.next(among: { $0 | 0x20 == UInt8(ascii: "e") }) {
            text.append(power)
            if let sign = scanner.next(among: { "+-".utf8.contains($0) }) { text.append(sign) }
            try digits()
            isWhole = false
        }
        let spelt = String(decoding: text, as: UTF8.self)
        if isWhole, let integer = Int(spelt) { return .integer(integer) }
        guard let number = Double(spelt), number.isFinite else {
            throw scanner.error("the number \(spelt.prefix(40)) is out of range")
        }
        return .number(number)
    }
}

/// The members of a JSON object, in their order.
package struct JSONObject: Sendable {
    /// Keys are the same if their bytes are: `String` takes other spellings of a character for equal.
    private struct Key: Hashable {
        let text: String

        static func == (a: Key, b: Key) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    private var places: [Key: Int] = [:]
    package private(set) var members: [(key: String, value: JSONValue)] = []

    /// The value of a key; nil where there is none.
    package subscript(key: String) -> JSONValue? { places[Key(text: key)].map { members[$0].value } }

    fileprivate mutating func add(_ key: String, _ value: JSONValue) -> Bool {
        guard places.updateValue(members.count, forKey: Key(text: key)) == nil else { return false }
        members.append((key, value))
        return true
    }
}

extension JSONValue {
    package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }
}

extension JSONValue: CustomStringConvertible {
    /// The value as an error message quotes it.
    package var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "'\(value.prefix(60))'"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
