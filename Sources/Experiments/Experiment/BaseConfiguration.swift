import Foundation
import Safetensors

/// The configuration that a comparison or a search makes changes of: a file that it names, or a block of its own.
struct BaseConfiguration {
    var node: ConfigNode
    /// The other file's text, which the study depends on too; empty for a block.
    var text = ""

    /// Between the text of the study's file and this one.
    static let separator = "\n---\n"

    /// - Parameters:
    ///   - value: the value of `config`: a path, from the folder of the study's file, or a mapping.
    ///   - url: the study's file.
    /// - Throws: ``ConfigError``, `FileError`.
    init(_ value: RawNode, namedIn url: URL) throws {
        guard case .scalar(let scalar) = value.node.content, !scalar.isNull else {
            node = value.node
            return
        }
        let path = URL(fileURLWithPath: scalar.text, relativeTo: url.deletingLastPathComponent())
        let text = try Self.text(of: path)
        node = try ConfigNode(yaml: text, file: path.relativePath)
        self.text = Self.separator + text
    }

    /// The text of a file.
    static func text(of url: URL) throws -> String {
        guard let text = String(data: try MappedFile.contents(of: url), encoding: .utf8) else {
            throw ConfigError(.syntax, "the file is not UTF-8 text", file: url.relativePath)
        }
        return text
    }
}
