import Foundation
import Safetensors

extension Tokenizer {
    /// The files of a tokenizer that a directory may have: what is copied with a fine-tuned model.
    public static let fileNames = [
        "tokenizer.json", "vocab.json", "merges.txt", TokenizerConfig.fileName, "special_tokens_map.json",
        "added_tokens.json",
    ]

    /// Reads the tokenizer of a directory as Hugging Face publishes it: `tokenizer.json`, or else `vocab.json` and
    /// `merges.txt`; with `tokenizer_config.json`, where there is one.
    /// - Throws: `FileError`, `TokenizerError`.
    public init(directory: URL) throws {
        func file(_ name: String) -> URL { directory.appendingPathComponent(name) }
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }
        let config = try TokenizerConfig(directory: directory)
        guard has("tokenizer.json") else {
            if has("added_tokens.json") {
                throw TokenizerError(
                    .unsupported,
                    "added_tokens.json is without a tokenizer.json; allowed: both, or vocab.json and merges.txt alone"
                )
            }
            try self.init(vocabulary: file("vocab.json"), merges: file("merges.txt"), config)
            return
        }
        try self.init(json: file("tokenizer.json"), config)
    }

    /// Reads GPT-2's two files: a JSON object of the tokens' numbers, and a pair to merge per line. A token
    /// `<|endoftext|>` of the vocabulary counts as added.
    /// - Throws: `FileError`, `TokenizerError`.
    public init(vocabulary: URL, merges: URL) throws {
        try self.init(vocabulary: vocabulary, merges: merges, nil)
    }

    /// Reads a `tokenizer.json` whose model is byte-level byte-pair encoding as GPT-2's.
    /// - Throws: `TokenizerError`, naming the key, for any other kind.
    public init(json url: URL) throws { try self.init(json: url, nil) }

    private init(vocabulary: URL, merges: URL, _ config: TokenizerConfig?) throws {
        let name = vocabulary.lastPathComponent
        let numbers = try TokenizerJSON.numbers(try TokenizerJSON.object(vocabulary), name, "the file")
        let text = try MergesText(merges)
        let end = config?.end ?? "<|endoftext|>"
        let own = numbers.first { $0.spelling.utf8.elementsEqual(end.utf8) }
        try self.init(
            vocabulary: numbers, merges: text.pairs,
            added: own.map { [AddedToken(text: end, token: $0.token, isNormalised: false)] } ?? [],
            end: end, startsWithSpace: config?.startsWithSpace ?? false, name: name,
            place: { "\(text.name), line \(text.lines[$0])" })
    }

    private init(json url: URL, _ config: TokenizerConfig?) throws {
        let json = try TokenizerJSON(url)
        let (model, startsWithSpace) = try json.checkKind()
        guard let vocabulary = model["vocab"]?.object else {
            throw json.refuse("model.vocab", model["vocab"], "an object")
        }
        if let wanted = config?.startsWithSpace, wanted != startsWithSpace {
            throw json.refuse(
                "pre_tokenizer.add_prefix_space", .boolean(startsWithSpace),
                "\(wanted), as \(TokenizerConfig.fileName) says")
        }
        let numbers = try TokenizerJSON.numbers(vocabulary, json.name, "model.vocab")
        try self.init(
            vocabulary: numbers, merges: json.pairs(model), added: json.addedTokens(numbers),
            end: config?.end ?? "<|endoftext|>", startsWithSpace: startsWithSpace, name: json.name,
            place: { "\(json.name): model.merges[\($0)]" })
    }
}
