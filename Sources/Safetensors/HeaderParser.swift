/// Reads the JSON header of a safetensors file: exactly the grammar that the format allows, no more.
///
/// `{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {"k": "v"}}`
///
/// Work and memory are linear in the header's length; there is no recursion.
struct HeaderParser {
    struct Item {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    /// More extents than any tensor has; a bound on what a hostile header can make us store.
    static let maximumRank = 64

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// `bytes` is the header alone, without the eight bytes of its length.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func parse() throws -> (items: [Item], metadata: [String: String]) {
        var items: [Item] = []
        var metadata: [String: String]?
        try object { parser, name in
            if name == "__metadata__" {
                guard metadata == nil else { throw parser.error("'__metadata__' is given twice") }
                var pairs: [String: String] = [:]
                try parser.object { parser, key in
                    guard pairs.updateValue(try parser.string(), forKey: key) == nil else {
                        throw parser.error("metadata key '\(key)' is given twice")
                    }
                }
                metadata = pairs
            } else {
                items.append(try parser.item(named: name))
            }
        }
        skipSpace()
        guard position == bytes.count else { throw error("text after the closing brace") }
        return (items, metadata ?? [:])
    }

    private mutating func item(named name: String) throws -> Item {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try object { parser, key in
            let isNew: Bool
            switch key {
            case "dtype":
                isNew = type == nil
                type = try parser.string()
            case "shape":
                isNew = shape == nil
                shape = try parser.integers(of: key, in: name, atMost: Self.maximumRank)
            case "data_offsets":
                isNew = offsets == nil
                offsets = try parser.integers(of: key, in: name, atMost: 2)
            default:
                throw parser.error(
                    "tensor '\(name)' has unknown field '\(key)'; allowed: dtype, shape, data_offsets")
            }
            guard isNew else { throw parser.error("tensor '\(name)' has field '\(key)' twice") }
        }
        guard let type else { throw error("tensor '\(name)' has no dtype") }
        guard let shape else { throw error("tensor '\(name)' has no shape") }
        guard let offsets, offsets.count == 2 else {
            throw error("tensor '\(name)' needs data_offsets [begin, end]")
        }
        return Item(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// Reads an object and calls `member` after each key and colon.
    private mutating func object(_ member: (inout HeaderParser, String) throws -> Void) throws {
        try expect("{")
        if accept("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while accept(",")
        try expect("}")
    }

    private mutating func integers(of field: String, in name: String, atMost limit: Int) throws -> [Int] {
        try expect("[")
        var values: [Int] = []
        if accept("]") { return values }
        repeat {
            guard values.count < limit else {
                throw error("tensor '\(name)' has more than \(limit) numbers in \(field)")
            }
            values.append(try integer(of: field, in: name))
        } while accept(",")
        try expect("]")
        return values
    }

    private mutating func integer(of field: String, in name: String) throws -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position], digit >= 0x30, digit <= 0x39 {
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(digit - 0x30))
            guard !overflowed, !carried else {
                throw error("tensor '\(name)' has a number in \(field) above \(Int.max)")
            }
            value = sum
            position += 1
        }
        let leadingZero = position - start > 1 && bytes[start] == 0x30
        guard position > start, !leadingZero else {
            throw error("tensor '\(name)': \(field) must hold whole numbers of 0 or more")
        }
        return value
    }

    private mutating func string() throws -> String {
        try expect("\"")
        let start = position
        while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C {
            guard bytes[position] >= 0x20 else { throw error("a control character in a string") }
            position += 1
        }
        var text = try text(from: start)
        while !accept("\"", afterSpace: false) {
            guard position < bytes.count else { throw error("a string without its closing quote") }
            if bytes[position] == 0x5C {
                text.unicodeScalars.append(try escape())
            } else {
                let start = position
                while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C {
                    guard bytes[position] >= 0x20 else { throw error("a control character in a string") }
                    position += 1
                }
                text += try self.text(from: start)
            }
        }
        return text
    }

    private func text(from start: Int) throws -> String {
        guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
            throw error("a string that is not UTF-8")
        }
        return text
    }

    private mutating func escape() throws -> Unicode.Scalar {
        position += 1
        guard position < bytes.count else { throw error("a string that ends in a backslash") }
        defer { position += 1 }
        switch bytes[position] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error("an escape that JSON does not have")
        }
    }

    /// Reads `uXXXX`, or the two halves of a surrogate pair; stops on the last digit.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, position + 2 < bytes.count, bytes[position + 1] == 0x5C,
            bytes[position + 2] == UInt8(ascii: "u")
        {
            position += 2
            let second = try hexadecimal()
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw error("half of a surrogate pair")
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            position += 1
            guard position < bytes.count,
                let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
            else { throw error("\\u without four hexadecimal digits") }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func accept(_ character: Unicode.Scalar, afterSpace: Bool = true) -> Bool {
        if afterSpace { skipSpace() }
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard accept(character) else { throw error("expected '\(character)'") }
    }

    private func error(_ what: String) -> SafetensorsError {
        SafetensorsError(.header, "the header is not valid at byte \(position): \(what)")
    }
}
