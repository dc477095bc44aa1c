/// Turns an `Encodable` value into a ``ConfigNode``, which ``ConfigDecoder`` reads back to the same value.
///
/// Numbers are written with the fewest digits that give the same bits when read again.
public enum ConfigEncoder {
    /// Encodes `value`, keys in the order in which it encodes them.
    /// - Throws: what the value's `encode(to:)` throws; `EncodingError` for a number that is not finite.
    public static func encode(_ value: some Encodable) throws -> ConfigNode {
        let encoder = TreeEncoder(codingPath: [])
        try encoder.encode(value)
        return encoder.node()
    }
}

/// One place of the tree that is being built: a scalar, a list or a mapping, whichever is asked of it first.
private final class TreeEncoder: Encoder, SingleValueEncodingContainer {
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    private enum Content {
        case nothing
        case node(ConfigNode)
        case list([TreeEncoder])
        case mapping([(key: String, value: TreeEncoder)])
    }
    private var content = Content.nothing

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    func node() -> ConfigNode {
        switch content {
        case .nothing: ConfigNode(.mapping([]))
        case .node(let node): node
        case .list(let items): ConfigNode(.list(items.map { $0.node() }))
        case .mapping(let pairs):
            ConfigNode(.mapping(pairs.map { ConfigNode.Entry(key: $0.key, value: $0.value.node()) }))
        }
    }

    var count: Int { if case .list(let items) = content { items.count } else { 0 } }

    func appendItem() -> TreeEncoder {
        let child = TreeEncoder(codingPath: codingPath + [PathKey("\(count)")])
        if case .list(let items) = content {
            content = .list(items + [child])
        } else {
            content = .list([child])
        }
        return child
    }

    func child(_ key: String) -> TreeEncoder {
        let child = TreeEncoder(codingPath: codingPath + [PathKey(key)])
        if case .mapping(let pairs) = content {
            content = .mapping(pairs.filter { $0.key != key } + [(key, child)])
        } else {
            content = .mapping([(key, child)])
        }
        return child
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .mapping = content {} else { content = .mapping([]) }
        return KeyedEncodingContainer(TreeKeyedContainer<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list = content {} else { content = .list([]) }
        return TreeListContainer(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    private func write(_ text: String, quoted: Bool = false) {
        content = .node(ConfigNode(.scalar(.init(text, quoted: quoted))))
    }

    private func writeNumber<F: BinaryFloatingPoint>(_ value: F, _ text: String) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value,
                .init(codingPath: codingPath, debugDescription: "a configuration holds finite numbers only"))
        }
        write(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    func encodeNil() throws { write("null") }
    func encode(_ value: Bool) throws { write(value ? "true" : "false") }
    func encode(_ value: String) throws { write(value, quoted: !value.isPlainConfigText) }
    func encode(_ value: Double) throws { try writeNumber(value, "\(value)") }
    func encode(_ value: Float) throws { try writeNumber(value, "\(value)") }
    func encode(_ value: Int) throws { write("\(value)") }
    func encode(_ value: Int8) throws { write("\(value)") }
    func encode(_ value: Int16) throws { write("\(value)") }
    func encode(_ value: Int32) throws { write("\(value)") }
    func encode(_ value: Int64) throws { write("\(value)") }
    func encode(_ value: UInt) throws { write("\(value)") }
    func encode(_ value: UInt8) throws { write("\(value)") }
    func encode(_ value: UInt16) throws { write("\(value)") }
    func encode(_ value: UInt32) throws { write("\(value)") }
    func encode(_ value: UInt64) throws { write("\(value)") }
    func encode(_ value: some Encodable) throws { try value.encode(to: self) }
}

private struct TreeKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: TreeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil(forKey key: Key) throws { try encoder.child(key.stringValue).encodeNil() }
    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        try encoder.child(key.stringValue).encode(value)
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.child(key.stringValue).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.child(key.stringValue).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { encoder }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder.child(key.stringValue) }
}

private struct TreeListContainer: UnkeyedEncodingContainer {
    let encoder: TreeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.count }

    mutating func encodeNil() throws { try encoder.appendItem().encodeNil() }
    mutating func encode(_ value: some Encodable) throws { try encoder.appendItem().encode(value) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<
        Nested
    > {
        encoder.appendItem().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        encoder.appendItem().unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { encoder.appendItem() }
}
