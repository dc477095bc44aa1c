/// A decoder of an empty map: every key is absent, so that each setting takes its default.
struct NoSettings: Decoder {
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any]

    init(_ decoder: any Decoder) {
        codingPath = decoder.codingPath
        userInfo = decoder.userInfo
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Empty<Key>(codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw missing("a list")
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw missing("a value")
    }

    private func missing(_ what: String) -> ConfigurationError {
        ConfigurationError("needs \(what), and none is given")
    }

    private struct Empty<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let codingPath: [any CodingKey]
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { false }

        private func missing<T>(_ key: some CodingKey) throws -> T {
            throw ConfigurationError("needs a value, and none is given", path: key.stringValue)
        }

        func decodeNil(forKey key: Key) throws -> Bool { true }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try missing(key) }
        func nestedContainer<K: CodingKey>(
            keyedBy type: K.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<K> { try missing(key) }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try missing(key)
        }
        func superDecoder() throws -> any Decoder { try missing(NamedKey("super")) }
        func superDecoder(forKey key: Key) throws -> any Decoder { try missing(key) }
    }
}
