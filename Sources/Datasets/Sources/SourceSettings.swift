import Foundation

/// How a data source reads its settings: missing keys mean defaults, and values out of range are refused where they
/// stand.
struct SourceSettings<Key: CodingKey> {
    let container: KeyedDecodingContainer<Key>

    init(_ decoder: any Decoder, keyedBy key: Key.Type) throws {
        container = try decoder.container(keyedBy: key)
    }

    func value<Value: Decodable>(_ key: Key, default value: Value) throws -> Value {
        try container.decodeIfPresent(Value.self, forKey: key) ?? value
    }

    func value<Value: Decodable>(_ key: Key) throws -> Value {
        try container.decode(Value.self, forKey: key)
    }

    func optional<Value: Decodable>(_ key: Key) throws -> Value? {
        try container.decodeIfPresent(Value.self, forKey: key)
    }

    /// A whole number within limits.
    func number(_ key: Key, default value: Int, in range: ClosedRange<Int>) throws -> Int {
        let number = try self.value(key, default: value)
        try check(
            range.contains(number), key, "is \(number); allowed: \(range.lowerBound) to \(range.upperBound)")
        return number
    }

    /// A share, more than 0 and less than 1.
    func share(_ key: Key, default value: Double) throws -> Double {
        let share = try self.value(key, default: value)
        try check(share > 0 && share < 1, key, "is \(share); allowed: more than 0, less than 1")
        return share
    }

    func check(_ condition: Bool, _ key: Key, _ message: @autoclosure () -> String) throws {
        guard !condition else { return }
        throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: message())
    }
}

/// A path with all that it depends on written out.
func fullPath(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
