import Foundation
import Safetensors

/// A JSON object of a foreign file, whose values are asked for by type.
struct JSONSettings {
    /// What errors call the file.
    let name: String
    let values: [String: Any]

    /// - Throws: `FileError`; `ModelError` for what is no JSON object.
    init(contentsOf url: URL) throws {
        name = url.path
        guard
            let values = try? JSONSerialization.jsonObject(with: try MappedFile.contents(of: url))
                as? [String: Any]
        else {
            // Says why the file cannot be read, if that is the reason.
            _ = try MappedFile.contents(of: url)
            throw ModelError(code: .file, message: "\(name) is not a JSON object; allowed: one")
        }
        self.values = values
    }

    /// The value; nil where it is missing or null.
    private func value<Value>(_ key: String, _: Value.Type, _ allowed: String) throws(ModelError) -> Value? {
        guard let value = values[key], !(value is NSNull) else { return nil }
        guard let value = value as? Value else { throw refuse(key, value, allowed) }
        return value
    }

    func text(_ key: String) throws(ModelError) -> String? { try value(key, String.self, "text") }

    func flag(_ key: String, default value: Bool) throws(ModelError) -> Bool {
        try self.value(key, Bool.self, "true, false") ?? value
    }

    func size(_ key: String) throws(ModelError) -> Int? {
        let allowed = "a whole number from 1 to 1000000"
        guard let size = try value(key, Int.self, allowed) else { return nil }
        guard (1...1_000_000).contains(size) else { throw refuse(key, size, allowed) }
        return size
    }

    func number(_ key: String, default value: Double, in range: Range<Double>) throws(ModelError) -> Double {
        let allowed = "at least \(range.lowerBound) and below \(range.upperBound)"
        let number = try self.value(key, Double.self, allowed) ?? value
        guard range.contains(number) else { throw refuse(key, number, allowed) }
        return number
    }

    /// A number, or a list of them.
    func tokens(_ key: String) throws(ModelError) -> [Int]? {
        if let one = values[key] as? Int { return [one] }
        return try value(key, [Int].self, "a token's number, or a list of them")
    }

    func refuse(_ key: String, _ value: Any, _ allowed: String) -> ModelError {
        ModelError(code: .file, message: "\(name): \(key) is \(value); allowed: \(allowed)")
    }
}
