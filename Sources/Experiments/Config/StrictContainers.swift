/// A mapping, read by key.
struct StrictKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: StrictDecoder
    let entries: [ConfigNode.Entry]

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { entries.compactMap { Key(stringValue: $0.key) } }

    private func find(_ key: Key) -> ConfigNode? {
        decoder.note(askedFor: key.stringValue)
        return entries.first { $0.key == key.stringValue }?.value
    }

    private func child(_ key: Key) throws -> ConfigNode {
        guard let node = find(key) else {
            throw DecodingError.keyNotFound(
                key,
                .init(
                    codingPath: codingPath, debugDescription: "the key '\(key.stringValue)' is missing here"))
        }
        return node
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard case .scalar(let scalar) = try child(key).content else { return false }
        return scalar.isNull
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try StrictDecoder.decode(type, from: child(key), at: codingPath + [PathKey(key.stringValue)])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try superDecoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try superDecoder(forKey: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { decoder }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        decoder.child(try child(key), at: key.stringValue)
    }
}

/// A list, read in order.
struct StrictListContainer: UnkeyedDecodingContainer {
    let decoder: StrictDecoder
    let items: [ConfigNode]
    var currentIndex = 0

    init(decoder: StrictDecoder, items: [ConfigNode]) {
        self.decoder = decoder
        self.items = items
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    private mutating func next(_ type: Any.Type) throws -> (ConfigNode, [any CodingKey]) {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type,
                .init(
                    codingPath: codingPath,
                    debugDescription: "the list has only \(items.count) values; more are needed"))
        }
        defer { currentIndex += 1 }
        return (items[currentIndex], codingPath + [PathKey("\(currentIndex)")])
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, case .scalar(let scalar) = items[currentIndex].content, scalar.isNull else {
            return false
        }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let (node, path) = try next(type)
        return try StrictDecoder.decode(type, from: node, at: path)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    {
        try superDecoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try superDecoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        let (node, path) = try next(StrictDecoder.self)
        return decoder.child(node, at: path.last?.stringValue ?? "")
    }
}

/// One scalar, or a value that encodes as one.
struct StrictScalarContainer: SingleValueDecodingContainer {
    let decoder: StrictDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    /// The text of an unquoted scalar, which may stand for a number or a truth value.
    private var plain: String? {
        guard case .scalar(let scalar) = decoder.node.content, !scalar.quoted, !scalar.isNull else {
            return nil
        }
        return scalar.text
    }

    func decodeNil() -> Bool {
        guard case .scalar(let scalar) = decoder.node.content else { return false }
        return scalar.isNull
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        switch plain?.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw decoder.mismatch(type, expected: "true or false")
        }
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .scalar(let scalar) = decoder.node.content, !scalar.isNull else {
            throw decoder.mismatch(type, expected: "a name or text")
        }
        return scalar.text
    }

    func decode(_ type: Double.Type) throws -> Double { try number(type) { Double($0) } }
    func decode(_ type: Float.Type) throws -> Float { try number(type) { Float($0) } }

    private func number<F: BinaryFloatingPoint>(_ type: F.Type, _ parse: (String) -> F?) throws -> F {
        guard let plain, !plain.hasPrefix("0x"), !plain.hasPrefix("-0x") else {
            throw decoder.mismatch(type, expected: "a number")
        }
        let text = plain.replacing("_", with: "").lowercased()
        let names = [".inf", "+.inf", "-.inf", ".nan", "inf", "-inf", "+inf", "nan", "infinity"]
        if names.contains(text) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "expected a finite number, found '\(plain)'"))
        }
        guard let first = text.first, first.isNumber || "+-.".contains(first), let value = parse(text) else {
            throw decoder.mismatch(type, expected: "a number")
        }
        guard value.isFinite else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "'\(plain)' is too large for a number"))
        }
        return value
    }

    private func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
        guard let plain else { throw decoder.mismatch(type, expected: "a whole number") }
        let text = plain.replacing("_", with: "")
        if let value = I(text) { return value }
        if text.hasPrefix("0x"), let value = I(text.dropFirst(2), radix: 16) { return value }
        guard let first = text.first, first.isNumber || "+-.".contains(first), let double = Double(text)
        else {
            throw decoder.mismatch(type, expected: "a whole number")
        }
        guard let value = I(exactly: double) else {
            let range = "\(I.min) to \(I.max)"
            throw double == double.rounded()
                ? DecodingError.dataCorrupted(
                    .init(codingPath: codingPath, debugDescription: "'\(plain)' is not in the range \(range)")
                )
                : decoder.mismatch(type, expected: "a whole number")
        }
        return value
    }

    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    /// A value that is written as another one (`AnyRule` as its rule): the same node, the same keys asked.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try StrictDecoder.decode(type, from: decoder.node, at: codingPath, recordingIn: decoder)
    }
}
