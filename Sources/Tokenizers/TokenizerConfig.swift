import Foundation
import Safetensors

/// What a `tokenizer_config.json` says beside the tokenizer's own files.
struct TokenizerConfig {
    static let fileName = "tokenizer_config.json"

    /// The text of the token that ends a text.
    var end = "<|endoftext|>"
    /// Nil where it does not say.
    var startsWithSpace: Bool?

    /// Reads the file of a directory, if there is one.
    /// - Throws: `TokenizerError` for settings that add tokens to a text.
    init(directory: URL) throws {
        let url = directory.appendingPathComponent(Self.fileName)
        guard FileManager.default.fileExists(atPath: url.path) else { return }
        let file = try TokenizerJSON.object(url)
        func flag(_ key: String) throws -> Bool? {
            guard let value = file[key], !value.isNull else { return nil }
            guard let flag = value.boolean else { throw refuse(key, value, "true, false") }
            return flag
        }
        func refuse(_ key: String, _ value: JSONValue, _ allowed: String) -> TokenizerError {
            TokenizerError(.unsupported, "\(Self.fileName): \(key) is \(value); allowed: \(allowed)")
        }
        for key in ["add_bos_token", "add_eos_token"] where try flag(key) == true {
            throw refuse(key, .boolean(true), "false")
        }
        startsWithSpace = try flag("add_prefix_space")
        if let token = file["eos_token"], !token.isNull {
            guard let text = token.string ?? token.object?["content"]?.string, !text.isEmpty else {
                throw refuse("eos_token", token, "a token's text")
            }
            end = text
        }
    }
}
