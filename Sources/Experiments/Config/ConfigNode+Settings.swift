extension ConfigNode {
    /// The value on one line, as a report shows it.
    package var inline: String {
        switch content {
        case .scalar(let scalar): scalar.text
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\($0.key): \($0.value.inline)" }.joined(separator: ", ") + "}"
        }
    }

    /// Every setting with its key path, in the notation of `--set`: `perturbation.0.gaussian.sigma`. A list of scalars is one
    /// setting.
    package var settings: [(path: String, value: String)] {
        func within(_ key: String, _ node: ConfigNode) -> [(path: String, value: String)] {
            node.settings.map { ($0.path.isEmpty ? key : "\(key).\($0.path)", $0.value) }
        }
        switch content {
        case .mapping(let entries) where !entries.isEmpty:
            return entries.flatMap { within($0.key, $0.value) }
        case .list(let items) where !items.allSatisfy(\.isScalar):
            return items.enumerated().flatMap { within("\($0.offset)", $0.element) }
        default: return [("", inline)]
        }
    }

    /// What a choice such as `model: {cnn: {…}}` or `data: digits` names; for a list, all of them.
    package var choice: String {
        switch content {
        case .scalar(let scalar): scalar.text
        case .mapping(let entries): entries.first?.key ?? ""
        case .list(let items): items.map(\.choice).joined(separator: "+")
        }
    }

    private var isScalar: Bool { if case .scalar = content { true } else { false } }
}
