import PerturbedEquations

/// A picture of something of the catalogue with settings: what the pages of the catalogue show.
///
/// SVG with colours that read on a light and on a dark page. Everything in it comes from the code that training runs.
public enum CataloguePicture {
    /// The families that can be drawn, and what draws them. Registration of a new one is one line here.
    private static let families:
        [(family: CatalogueFamily, draw: @Sendable (Named, UInt64) throws -> String)] = [
            (.perturbations, PerturbationPicture.svg), (.parameterPerturbations, NeighbourPicture.svg),
            (.rules, RulePicture.svg), (.schedules, SchedulePicture.svg),
            (.controllers, ControllerPicture.svg), (.guards, GuardPicture.svg),
            (.noise, DataNoisePicture.svg),
        ]

    /// Whatever is drawn, as it is written: its name, its settings, and both.
    struct Named {
        let name: String
        /// nil where the name stands alone.
        let settings: ConfigNode?
        let node: ConfigNode
        /// What `peo list` says of it.
        var entry: CatalogueEntry
    }

    /// The families that can be drawn.
    public static var drawable: [CatalogueFamily] { families.map(\.family) }

    /// Draws one.
    ///
    /// - Parameters:
    ///   - text: as in a configuration, such as `gaussian: {sigma: 0.5}`, `cosine: {from: 1, to: 0}` or `clipValue: 2`.
    ///   - seed: selects the noise.
    /// - Throws: ``ConfigError`` or `ConfigurationError` for a name that is not known, and for settings that cannot be
    ///   used.
    public static func svg(yaml text: String, seed: UInt64 = 1) throws -> String {
        let node = try ConfigNode(yaml: text)
        let (name, settings) = try split(node)
        for (family, draw) in families {
            guard let entry = entry(name, of: family) else { continue }
            return try draw(Named(name: name, settings: settings, node: node, entry: entry), seed)
        }
        let names = families.flatMap { $0.family.entries.map(\.name) }
        let hint = nearestName(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
        throw ConfigError(
            .badValue,
            "there is nothing \"\(name)\" to draw\(hint) Allowed: what peo list names among "
                + drawable.map(\.rawValue).joined(separator: ", "), origin: node.origin)
    }

    private static func entry(_ name: String, of family: CatalogueFamily) -> CatalogueEntry? {
        // A preset is a perturbation by another name.
        if family == .perturbations, name == "preset" { return PerturbationPreset.all[0].catalogueEntry }
        return family.entries.first { $0.name == name }
    }

    private static func split(_ node: ConfigNode) throws -> (String, ConfigNode?) {
        switch node.content {
        case .scalar(let scalar) where !scalar.isNull: return (scalar.text, nil)
        case .mapping(let entries) where entries.count == 1: return (entries[0].key, entries[0].value)
        default:
            throw ConfigError(
                .wrongType, "expected one thing to draw, written name: {settings}", origin: node.origin)
        }
    }
}
