import Foundation

/// One `--set key.path=value` argument.
///
/// The value is read as YAML, so numbers, lists and mappings work: `--set model='{mlp: {hidden: [64]}}'`. A
/// number in the path picks an item of a list (`perturbation.0.gaussian.sigma=0.1`); the number after the last
/// item appends one. Keys that are missing on the way are made, and ``ConfigDecoder`` then says if nothing
/// reads them.
public struct ConfigOverride: Sendable {
    /// The keys and list indices, outermost first.
    public let path: [String]
    /// The new value.
    public let value: ConfigNode
    /// Whether the second key is one of which only one may stand, so that another goes.
    private(set) var choosesKind = false

    /// Parses `key.path=value`.
    /// - Throws: ``ConfigError`` where there is no `=`, an empty key, or a value that is not YAML.
    public init(parsing argument: String) throws {
        guard let equals = argument.firstIndex(of: "=") else {
            throw ConfigError(
                .badOverride, "expected key.path=value, for example --set training.epochs=5",
                origin: .override(argument))
        }
        let name = String(argument[..<equals])
        path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.allSatisfy({ !$0.isEmpty }) else {
            throw ConfigError(
                .badOverride, "a key of the path is empty; write it as in training.epochs=5",
                origin: .override(argument))
        }
        let text = String(argument[argument.index(after: equals)...])
        value =
            text.allSatisfy(\.isWhitespace)
            ? ConfigNode(.scalar(.init("")), origin: .override(name))
            : try ConfigNode(yaml: text, override: name)
    }

    /// The value of a key path such as `training.epochs`, taken from a file.
    init(path: String, value: ConfigNode) {
        self.init(path: path.split(separator: ".").map(String.init), value: value)
    }

    init(path: [String], value: ConfigNode) {
        self.path = path
        self.value = value
    }

    /// `model.torchScript.file=…`, or for a directory `model.gpt2.directory=…`, for a path of any spelling: the `--model`
    /// argument. A model of another kind goes; other settings of one of this kind stay.
    public init(modelFile path: String) {
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        self.path = ["model"] + (isDirectory.boolValue ? ["gpt2", "directory"] : ["torchScript", "file"])
        value = ConfigNode(.scalar(.init(path, quoted: true)), origin: .override("--model"))
        choosesKind = true
    }
}

extension ConfigNode {
    /// Replaces or adds the value that `override` names.
    /// - Throws: ``ConfigError`` where the path leads through something that has no keys or items.
    public mutating func apply(_ override: ConfigOverride) throws {
        if override.choosesKind, case .mapping(var entries) = content,
            let index = entries.firstIndex(where: { $0.key == override.path[0] })
        {
            let isOfThisKind =
                if case .mapping(let kinds) = entries[index].value.content {
                    kinds.contains { $0.key == override.path[1] }
                } else { false }
            if !isOfThisKind {
                entries.remove(at: index)
                content = .mapping(entries)
            }
        }
        try set(override.path[...], to: override.value, from: override.path.joined(separator: "."))
    }

    private mutating func set(_ path: ArraySlice<String>, to value: ConfigNode, from name: String) throws {
        guard let first = path.first else {
            self = value
            return
        }
        let rest = path.dropFirst()
        let here = name.split(separator: ".").prefix(path.startIndex).joined(separator: ".")
        switch content {
        case .mapping(var entries):
            if let index = entries.firstIndex(where: { $0.key == first }) {
                try entries[index].value.set(rest, to: value, from: name)
                if rest.isEmpty { entries[index].keyOrigin = .override(name) }
            } else {
                var child = ConfigNode(.scalar(.init("")), origin: .override(name))
                try child.set(rest, to: value, from: name)
                entries.append(Entry(key: first, keyOrigin: .override(name), value: child))
            }
            content = .mapping(entries)
        case .list(var items):
            guard let index = Int(first), index >= 0, index <= items.count else {
                let allowed =
                    items.isEmpty ? "0 (to add one)" : "0 to \(items.count - 1), or \(items.count) to add one"
                throw ConfigError(
                    .badOverride, "'\(here)' is a list; '\(first)' must be an index from \(allowed)",
                    origin: .override(name))
            }
            if index == items.count { items.append(ConfigNode(.scalar(.init("")), origin: .override(name))) }
            try items[index].set(rest, to: value, from: name)
            content = .list(items)
        case .scalar(let scalar) where scalar.isNull:
            self = ConfigNode(first == "0" ? .list([]) : .mapping([]), origin: .override(name))
            try set(path, to: value, from: name)
        case .scalar(let scalar) where scalar.text == first:
            // `data: digits` is short for `data: {digits: {}}`, which has keys.
            let inner = Entry(key: first, keyOrigin: origin, value: ConfigNode(.mapping([]), origin: origin))
            self = ConfigNode(.mapping([inner]), origin: origin)
            try set(path, to: value, from: name)
        case .scalar:
            throw ConfigError(
                .badOverride, "'\(here)' is \(inWords), which has no key '\(first)'", origin: .override(name))
        }
    }
}
