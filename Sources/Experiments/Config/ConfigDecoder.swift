import PerturbedEquations

/// Turns a ``ConfigNode`` into a `Decodable` value, strictly: every key must be one that the type reads.
///
/// Errors name the key path, the value, what is allowed and the line (or the `--set` argument) they come from.
/// Numbers are finite; whole numbers may be written as `1e3`; text that looks like a number is a number unless
/// it is quoted.
public enum ConfigDecoder {
    /// Decodes `node` as a `T`.
    /// - Parameter file: the name of the file that the node was read from, for messages.
    /// - Throws: ``ConfigError``.
    public static func decode<T: Decodable>(_ type: T.Type, from node: ConfigNode, file: String? = nil) throws
        -> T
    {
        do {
            return try StrictDecoder.decode(type, from: node, at: [])
        } catch let error as DecodingError {
            throw located(error, in: node, file: file)
        }
    }

    private static func located(_ error: DecodingError, in node: ConfigNode, file: String?) -> ConfigError {
        let code: ConfigError.Code
        let context: DecodingError.Context
        var path: [String]
        switch error {
        case .dataCorrupted(let found):
            (code, context) = (found.underlyingError is UnknownKey ? .unknownKey : .badValue, found)
            path = found.codingPath.map(\.stringValue)
        case .keyNotFound(_, let found):
            (code, context, path) = (.missingKey, found, found.codingPath.map(\.stringValue))
        case .typeMismatch(_, let found), .valueNotFound(_, let found):
            (code, context, path) = (.wrongType, found, found.codingPath.map(\.stringValue))
        @unknown default: return ConfigError(.badValue, "\(error)", origin: node.origin, file: file)
        }
        return ConfigError(
            code, context.debugDescription, keyPath: path.joined(separator: "."),
            origin: node.origin(at: path),
            file: file)
    }
}

/// Marks a `DecodingError` as one about a key that nothing reads.
struct UnknownKey: Error {}

/// A step of a key path: a mapping's key or a list's index.
struct PathKey: CodingKey {
    let stringValue: String
    var intValue: Int? { Int(stringValue) }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init(intValue: Int) { stringValue = "\(intValue)" }
}

/// The decoder of one node; remembers which keys and kinds of value its type asked for.
final class StrictDecoder: Decoder {
    let node: ConfigNode
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    /// The keys that the type asked for, in order: the allowed ones, when another key is refused.
    private(set) var asked: [String] = []
    /// Whether the type took the node as a mapping: only then are its keys checked.
    private var isKeyed = false
    /// The kinds of value that the type tried, in words, for "expected a number or a mapping".
    private var expected: [String] = []

    private init(_ node: ConfigNode, _ codingPath: [any CodingKey]) {
        self.node = node
        self.codingPath = codingPath
    }

    /// The decoders handed out by `superDecoder` and nested containers: one for each key, so that everything
    /// that reads the same mapping adds to the same list of keys.
    private var children: [String: StrictDecoder] = [:]

    /// The decoder of the value at `key`, whose keys are checked when this decoder's are.
    func child(_ node: ConfigNode, at key: String) -> StrictDecoder {
        if let child = children[key] { return child }
        let child = StrictDecoder(node, codingPath + [PathKey(key)])
        children[key] = child
        return child
    }

    /// Decodes `node` as a `T` and refuses keys that `T` did not ask for.
    /// - Parameter outer: the decoder of a type that is written as a `T`: it learns what `T` asked for.
    static func decode<T: Decodable>(
        _ type: T.Type, from node: ConfigNode, at path: [any CodingKey],
        recordingIn outer: StrictDecoder? = nil
    ) throws -> T {
        let decoder = StrictDecoder(node, path)
        if let outer { decoder.expected = outer.expected }
        defer {
            if let outer {
                decoder.asked.forEach(outer.note(askedFor:))
                outer.expected = decoder.expected
                outer.children.merge(decoder.children) { old, _ in old }
            }
        }
        if let choices = type as? any (CaseIterable & RawRepresentable).Type {
            try decoder.checkChoice(of: choices)
        }
        do {
            let value = try T(from: decoder)
            try decoder.refuseUnaskedKeys()
            return value
        } catch let error as DecodingError {
            throw decoder.improved(error)
        } catch let error as ConfigurationError {
            let inner = error.path.split(separator: ".").map { PathKey(String($0)) }
            throw DecodingError.dataCorrupted(
                .init(codingPath: path + inner, debugDescription: error.message, underlyingError: error))
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: path, debugDescription: "\(error)", underlyingError: error))
        }
    }

    func note(askedFor key: String) { if !asked.contains(key) { asked.append(key) } }

    /// The error for a node of another kind than `kind`, naming every kind that the type has tried.
    func mismatch(_ type: Any.Type, expected kind: String) -> DecodingError {
        if !expected.contains(kind) { expected.append(kind) }
        let kinds =
            expected.count < 2
            ? expected[0] : expected.dropLast().joined(separator: ", ") + " or " + expected.last!
        return .typeMismatch(
            type, .init(codingPath: codingPath, debugDescription: "expected \(kinds), found \(node.inWords)"))
    }

    private func refuseUnaskedKeys() throws {
        for child in children.values { try child.refuseUnaskedKeys() }
        guard isKeyed, case .mapping(let entries) = node.content else { return }
        guard let unknown = entries.first(where: { !asked.contains($0.key) }) else { return }
        let allowed = asked.sorted()
        let list =
            allowed.isEmpty ? "no keys are allowed here" : "allowed: \(allowed.joined(separator: ", "))"
        throw DecodingError.dataCorrupted(
            .init(
                codingPath: codingPath + [PathKey(unknown.key)],
                debugDescription:
                    "unknown key '\(unknown.key.shortened)'\(hint(unknown.key, among: allowed)) (\(list))",
                underlyingError: UnknownKey()))
    }

    /// A missing key, or a complaint about the mapping as a whole, beside an unknown key that nearly spells an
    /// allowed one is a misspelling: say that instead.
    private func improved(_ error: DecodingError) -> DecodingError {
        let context: DecodingError.Context
        var missing: [String] = []
        switch error {
        case .keyNotFound(let key, let found):
            context = found
            missing = [key.stringValue]
        case .dataCorrupted(let found) where !(found.underlyingError is UnknownKey): context = found
        default: return error
        }
        guard case .mapping(let entries) = node.content else { return error }
        guard context.codingPath.count == codingPath.count else {
            let next = context.codingPath.dropFirst(codingPath.count).first?.stringValue
            return next.flatMap { children[$0] }?.improved(error) ?? error
        }
        for key in entries.map(\.key) where !asked.contains(key) {
            guard let meant = nearestName(to: key, among: missing + asked) else { continue }
            return .dataCorrupted(
                .init(
                    codingPath: codingPath + [PathKey(key)],
                    debugDescription: "unknown key '\(key)'; did you mean '\(meant)'?"
                        + (missing.isEmpty ? " (allowed: \(asked.sorted().joined(separator: ", ")))" : ""),
                    underlyingError: UnknownKey()))
        }
        return error
    }

    /// `; did you mean 'epochs'?`, or nothing.
    private func hint(_ name: String, among allowed: [String]) -> String {
        nearestName(to: name, among: allowed).map { "; did you mean '\($0)'?" } ?? ""
    }

    private func checkChoice<E: CaseIterable & RawRepresentable>(of type: E.Type) throws {
        let allowed = type.allCases.compactMap { $0.rawValue as? String }
        guard !allowed.isEmpty, case .scalar(let scalar) = node.content, !allowed.contains(scalar.text) else {
            return
        }
        throw DecodingError.dataCorrupted(
            .init(
                codingPath: codingPath,
                debugDescription:
                    "unknown name '\(scalar.text.shortened)'\(hint(scalar.text, among: allowed))"
                    + " (allowed: \(allowed.joined(separator: ", ")))"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .mapping(let entries) = node.content else {
            throw mismatch([String: Any].self, expected: "a mapping")
        }
        isKeyed = true
        return KeyedDecodingContainer(StrictKeyedContainer<Key>(decoder: self, entries: entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let items) = node.content else { throw mismatch([Any].self, expected: "a list") }
        return StrictListContainer(decoder: self, items: items)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        StrictScalarContainer(decoder: self)
    }
}
