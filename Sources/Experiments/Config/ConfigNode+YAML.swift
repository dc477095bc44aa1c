import Yams

extension ConfigNode {
    /// What a configuration may be at most. Real ones are a hundredth of this; the limits keep a hostile or
    /// broken file (nesting bombs, alias bombs) from taking the machine's stack or memory.
    private enum Limit {
        static let bytes = 128 * 1024
        static let depth = 48
        static let nodes = 50_000
        static let aliases = 40
    }

    /// Reads one YAML document.
    ///
    /// Anchors, aliases and merge keys (`<<`) work; custom tags do not.
    /// - Parameters:
    ///   - yaml: the text, at most 128 KiB.
    ///   - file: its name, for messages.
    ///   - override: the key path of the `--set` argument that `yaml` is the value of, if it is one.
    /// - Throws: ``ConfigError`` with the line: not YAML, a key twice, several documents, nothing at all, or
    ///   nested deeper or grown larger than any configuration is.
    public init(yaml: String, file: String? = nil, override: String? = nil) throws {
        func refuse(_ problem: String, line: Int? = nil) -> ConfigError {
            let origin: Origin = override.map(Origin.override) ?? line.map(Origin.line) ?? .program
            return ConfigError(.syntax, problem, origin: origin, file: file)
        }
        guard yaml.utf8.count <= Limit.bytes else {
            throw refuse("the text has \(yaml.utf8.count) bytes; a configuration has at most \(Limit.bytes)")
        }
        if let line = Self.lineThatNestsTooDeeply(yaml) {
            throw refuse("nested too deeply; at most \(Limit.depth) levels are allowed", line: line)
        }
        let aliases = yaml.split(separator: "*", omittingEmptySubsequences: false).dropFirst()
            .count { $0.first.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" } ?? false }
        guard aliases <= Limit.aliases else {
            throw refuse("\(aliases) aliases (*name); at most \(Limit.aliases) are allowed")
        }
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch let error as YamlError {
            throw Self.explain(error, refuse)
        }
        guard let root else {
            throw refuse("the file is empty; a configuration is a mapping such as 'model: mlp'")
        }
        var budget = Limit.nodes
        self = try Self.convert(root, depth: 0, budget: &budget) { problem, line in
            refuse(problem, line: line)
        }
        if let override { restamp(.override(override)) }
    }

    /// Yams reads by recursion, so a line that opens hundreds of levels is refused before it gets there.
    /// Levels that are opened over several lines cost indentation, which the size limit bounds.
    private static func lineThatNestsTooDeeply(_ yaml: String) -> Int? {
        var flow = 0
        for (number, line) in yaml.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var indicators = 0
            for character in line.utf8 {
                if character == UInt8(ascii: "[") || character == UInt8(ascii: "{") { flow += 1 }
                if character == UInt8(ascii: "]") || character == UInt8(ascii: "}") {
                    flow = max(0, flow - 1)
                }
            }
            for character in line.utf8 {
                if character == UInt8(ascii: "-") || character == UInt8(ascii: "?")
                    || character == UInt8(ascii: ":")
                {
                    indicators += 1
                } else if character != UInt8(ascii: " ") {
                    break
                }
            }
            // A line of dashes ("-----") is a comment's rule or a document mark, not nesting.
            let isRule = line.drop { $0 == " " }.allSatisfy { $0 == "-" }
            if flow > 4 * Limit.depth || (indicators > 2 * Limit.depth && !isRule) { return number + 1 }
        }
        return nil
    }

    private static func convert(
        _ node: Node, depth: Int, budget: inout Int, refuse: (String, Int?) -> ConfigError
    ) throws -> ConfigNode {
        budget -= 1
        guard budget > 0 else {
            throw refuse("aliases grow this to more than \(Limit.nodes) values", node.mark?.line)
        }
        guard depth <= Limit.depth else {
            throw refuse("nested too deeply; at most \(Limit.depth) levels are allowed", node.mark?.line)
        }
        let line = node.mark?.line ?? 0
        let known = ["str", "int", "float", "bool", "null", "timestamp", "value", "merge", "map", "seq"]
        guard known.contains(where: { node.tag.description == "tag:yaml.org,2002:" + $0 }) else {
            throw refuse("the tag '\(node.tag.description)' is not supported; write plain values", line)
        }
        switch node {
        case .scalar(let scalar):
            let quoted = scalar.style != .plain && scalar.style != .any
            return ConfigNode(.scalar(Scalar(scalar.string, quoted: quoted)), origin: .line(line))
        case .sequence(let sequence):
            let items = try sequence.map {
                try convert($0, depth: depth + 1, budget: &budget, refuse: refuse)
            }
            return ConfigNode(.list(items), origin: .line(line))
        case .mapping(let mapping):
            var entries: [Entry] = []
            var merged: [Entry] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw refuse("a key must be a name, not a list or a mapping", key.mark?.line)
                }
                let converted = try convert(value, depth: depth + 1, budget: &budget, refuse: refuse)
                if name.string == "<<", name.style == .plain {
                    merged += try mergeEntries(converted, refuse: refuse, line: name.mark?.line)
                } else {
                    let origin = Origin.line(name.mark?.line ?? line)
                    entries.append(Entry(key: name.string, keyOrigin: origin, value: converted))
                }
            }
            for entry in merged where !entries.contains(where: { $0.key == entry.key }) {
                entries.append(entry)
            }
            return ConfigNode(.mapping(entries), origin: .line(line))
        case .alias:
            throw refuse("this alias has no anchor", line)
        }
    }

    private static func mergeEntries(
        _ node: ConfigNode, refuse: (String, Int?) -> ConfigError, line: Int?
    ) throws -> [Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .list(let items): return try items.flatMap { try mergeEntries($0, refuse: refuse, line: line) }
        case .scalar: throw refuse("'<<' merges a mapping or a list of mappings, not \(node.inWords)", line)
        }
    }

    private mutating func restamp(_ origin: Origin) {
        self.origin = origin
        switch content {
        case .scalar: break
        case .list(var items):
            for index in items.indices { items[index].restamp(origin) }
            content = .list(items)
        case .mapping(var entries):
            for index in entries.indices {
                entries[index].keyOrigin = origin
                entries[index].value.restamp(origin)
            }
            content = .mapping(entries)
        }
    }

    private static func explain(_ error: YamlError, _ refuse: (String, Int?) -> ConfigError) -> ConfigError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let detail = context.map { "\($0.text) (from line \($0.mark.line)): \(problem)" } ?? problem
            return refuse("not valid YAML at column \(mark.column): \(detail)", mark.line)
        case .composer(let context, let problem, let mark, _):
            let several = context?.text.contains("single document") ?? false
            return refuse(
                several ? "a second document starts here; a configuration is one document" : problem,
                mark.line)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
            return refuse("the key \(names) stands here more than once", context.mark.line)
        case .reader(let problem, _, _, _): return refuse("not readable as YAML text: \(problem)", nil)
        default: return refuse("not valid YAML: \(error)", nil)
        }
    }
}
