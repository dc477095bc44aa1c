import Foundation

/// The file of a comparison or a search, with the configuration that it makes changes of.
struct StudyFile<Settings: Decodable> {
    let root: ConfigNode
    let settings: Settings
    /// The configuration that is changed.
    let base: ConfigNode
    /// Everything that the study depends on, as text.
    let text: String

    /// - Parameter config: where the settings name the configuration.
    /// - Throws: ``ConfigError``, `FileError`.
    init(contentsOf url: URL, config: (Settings) -> RawNode) throws {
        let text = try BaseConfiguration.text(of: url)
        root = try ConfigNode(yaml: text, file: url.relativePath)
        settings = try ConfigDecoder.decode(Settings.self, from: root, file: url.relativePath)
        let changed = try BaseConfiguration(config(settings), namedIn: url)
        base = changed.node
        self.text = text + changed.text
    }

    /// The two parts of a study's text, so that comments and spaces do not count; nil for text that is none.
    static func split(_ text: String) -> (root: ConfigNode, base: String)? {
        let parts = text.split(separator: BaseConfiguration.separator, maxSplits: 1).map(String.init)
        guard let first = parts.first, let root = try? ConfigNode(yaml: first, file: nil),
            case .mapping = root.content
        else { return nil }
        guard parts.count > 1 else { return (root, "") }
        return (try? ConfigNode(yaml: parts[1], file: nil)).map { (root, $0.yaml()) }
    }
}
