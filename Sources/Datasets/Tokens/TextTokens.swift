import PerturbedEquations

/// How a text becomes tokens.
///
/// ```yaml
/// tokens: characters
/// tokens: {tokenizer: gpt2/tokenizer.json}
/// ```
public enum TextTokens: Codable, Sendable, Hashable {
    /// Each different Unicode scalar of the text is one.
    case characters
    /// Byte pairs: the path of a `tokenizer.json`, or of a folder with one or with `vocab.json` and `merges.txt`.
    case tokenizer(String)

    private enum CodingKeys: String, CodingKey { case tokenizer }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard name == "characters" else {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "is '\(name)'; allowed: characters, {tokenizer: path}"))
            }
            self = .characters
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self = .tokenizer(try container.decode(String.self, forKey: .tokenizer))
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .characters:
            var container = encoder.singleValueContainer()
            try container.encode("characters")
        case .tokenizer(let path):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(path, forKey: .tokenizer)
        }
    }

    static let parameter = CatalogueEntry.Parameter(
        "tokens", "name or path", default: "characters", allowed: "characters, {tokenizer: path}",
        "how the text becomes tokens: by character, or by a tokenizer.json, or a folder with Hugging Face's files"
    )

    func resolved() -> TextTokens {
        if case .tokenizer(let path) = self { .tokenizer(fullPath(path)) } else { self }
    }

    /// The vocabulary of a text.
    /// - Throws: `TokenizerError`, `FileError`.
    func vocabulary(of text: String) throws -> TextVocabulary {
        switch self {
        case .characters: .characters(Characters(of: text))
        case .tokenizer(let path): try TextVocabulary(tokenizer: path)
        }
    }
}
