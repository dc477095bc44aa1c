/// JSON that is not well-formed, or holds what its reader does not allow.
package struct JSONError: Error, Sendable, Equatable {
    /// Where, in bytes.
    package var position: Int
    package var what: String
}

/// Reads the pieces of strict JSON (RFC 8259) from UTF-8 bytes: no more than the standard allows, and no halves of
/// surrogate pairs, which are no text.
package struct JSONScanner {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Reads an object and calls `member` after each key and colon.
    package mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
        try expect("{")
        if accept("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while accept(",")
        try expect("}")
    }

    /// Reads an array and calls `element` before each element.
    package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try expect("[")
        if accept("]") { return }
        repeat { try element(&self) } while accept(",")
        try expect("]")
    }

    /// Reads the digits of a whole number of 0 or more; nil where it has none, or a zero before others.
    /// - Throws: `JSONError` above `Int.max`.
    package mutating func digits(_ name: @autoclosure () -> String) throws -> Int? {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position], digit >= 0x30, digit <= 0x39 {
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(digit - 0x30))
            guard !overflowed, !carried else { throw error("\(name()) above \(Int.max)") }
            value = sum
            position += 1
        }
        let leadingZero = position - start > 1 && bytes[start] == 0x30
        return position > start && !leadingZero ? value : nil
    }

    /// The byte after white space, which stays to be read; nil at the end.
    package mutating func peek() -> UInt8? {
        skipSpace()
        return position < bytes.count ? bytes[position] : nil
    }

    /// Reads a byte without white space before it, if it is one of `allowed`.
    package mutating func next(among allowed: (UInt8) -> Bool) -> UInt8? {
        guard position < bytes.count, allowed(bytes[position]) else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Checks that nothing follows but white space.
    package mutating func end(after what: String) throws {
        skipSpace()
        guard position == bytes.count else { throw error("text after \(what)") }
    }

    package mutating func string() throws -> String {
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

    package mutating func accept(_ character: Unicode.Scalar, afterSpace: Bool = true) -> Bool {
        if afterSpace { skipSpace() }
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    package mutating func expect(_ character: Unicode.Scalar) throws {
        guard accept(character) else { throw error("expected '\(character)'") }
    }

    package func error(_ what: String) -> JSONError { JSONError(position: position, what: what) }
}
