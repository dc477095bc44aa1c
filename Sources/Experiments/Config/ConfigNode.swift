/// A configuration as a tree of values, each of which remembers where it came from.
///
/// A YAML file becomes this tree, `--set` edits it, and ``ConfigDecoder`` turns it into `Codable` values;
/// ``ConfigEncoder`` goes the other way. Mappings keep their order.
public struct ConfigNode: Sendable {
    /// Where a value stands: what an error message points at.
    public enum Origin: Sendable, Equatable {
        /// A line of the file, counted from 1.
        case line(Int)
        /// A `--set` argument, given as its key path.
        case override(String)
        /// Made by the program.
        case program
    }

    /// A scalar as it was written. `quoted` text is always a string; plain text is read as the type asked for.
    public struct Scalar: Sendable, Equatable {
        public var text: String
        public var quoted: Bool

        public init(_ text: String, quoted: Bool = false) {
            self.text = text
            self.quoted = quoted
        }

        /// Whether this is YAML's null: nothing, `~` or `null`, unquoted.
        public var isNull: Bool { !quoted && ["", "~", "null", "Null", "NULL"].contains(text) }
    }

    /// One key of a mapping with its value.
    public struct Entry: Sendable {
        public var key: String
        public var keyOrigin: Origin
        public var value: ConfigNode

        public init(key: String, keyOrigin: Origin = .program, value: ConfigNode) {
            self.key = key
            self.keyOrigin = keyOrigin
            self.value = value
        }
    }

    /// What a node holds.
    public indirect enum Content: Sendable {
        case scalar(Scalar)
        case list([ConfigNode])
        case mapping([Entry])
    }

    public var content: Content
    public var origin: Origin

    public init(_ content: Content, origin: Origin = .program) {
        self.content = content
        self.origin = origin
    }

    /// A mapping that the program makes.
    static func mapping(_ entries: [(String, ConfigNode)]) -> ConfigNode {
        ConfigNode(.mapping(entries.map { Entry(key: $0.0, value: $0.1) }))
    }

    /// The value under `key`, if this is a mapping that has it.
    public subscript(key: String) -> ConfigNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// A mapping without some of its keys; anything else as it is.
    func without(_ keys: Set<String>) -> ConfigNode {
        guard case .mapping(let entries) = content else { return self }
        return ConfigNode(.mapping(entries.filter { !keys.contains($0.key) }), origin: origin)
    }

    /// What this node is, in words, for error messages: `'abc'`, `a list of 3`, `a mapping`.
    package var inWords: String {
        switch content {
        case .scalar(let scalar) where scalar.isNull: "nothing"
        case .scalar(let scalar) where scalar.quoted: "the text \"\(scalar.text.shortened)\""
        case .scalar(let scalar): "'\(scalar.text.shortened)'"
        case .list(let items): items.isEmpty ? "an empty list" : "a list of \(items.count)"
        case .mapping(let entries):
            entries.isEmpty
                ? "an empty mapping"
                : "a mapping with \(entries.prefix(3).map { "'\($0.key)'" }.joined(separator: ", "))"
        }
    }

    /// The origin of the value at `path` (keys and list indices), or of the deepest part of it that exists.
    package func origin(at path: [String]) -> Origin {
        guard let first = path.first else { return origin }
        switch content {
        case .mapping(let entries):
            guard let entry = entries.first(where: { $0.key == first }) else { return origin }
            // A value on the lines below its key is better pointed at by the key.
            return path.count == 1 ? entry.keyOrigin : entry.value.origin(at: Array(path.dropFirst()))
        case .list(let items):
            guard let index = Int(first), items.indices.contains(index) else { return origin }
            return items[index].origin(at: Array(path.dropFirst()))
        case .scalar: return origin
        }
    }
}

extension String {
    /// At most 60 characters of the text, on one line: what an error message quotes.
    package var shortened: String {
        let line = split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count <= 60 ? line : line.prefix(57) + "..."
    }
}
