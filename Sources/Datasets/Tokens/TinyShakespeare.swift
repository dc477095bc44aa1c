import Foundation
import PerturbedEquations
import Safetensors

/// Shakespeare's plays, 1,115,394 characters of 65 kinds: the first 90% to fit with, the rest to measure on, as nanoGPT
/// has it.
///
/// ```yaml
/// data: {tinyshakespeare: {length: 64}}
/// data: {tinyshakespeare: {length: 64, tokens: {tokenizer: gpt2}}}
/// ```
///
/// Source: A. Karpathy (2015), *The Unreasonable Effectiveness of Recurrent Neural Networks*.
public struct TinyShakespeare: DataSource {
    /// Tokens of one block, ≥ 1 (default 64).
    public var length: Int
    /// Default characters.
    public var tokens: TextTokens

    public init(length: Int = 64, tokens: TextTokens = .characters) {
        self.length = length
        self.tokens = tokens
    }

    private enum CodingKeys: String, CodingKey { case length, tokens }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        length = try settings.number(.length, default: 64, in: 1...1_000_000)
        tokens = try settings.value(.tokens, default: .characters)
    }

    public static let entry = CatalogueEntry(
        name: "tinyshakespeare", summary: "Shakespeare's plays as characters, for the next one",
        equation: "x = characters t … t + length − 1, y = characters t + 1 … t + length; 65 kinds",
        parameters: [TextData.length, TextTokens.parameter],
        source: "\(origin). Licence: \(terms)")

    private static let origin = "Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks"
    private static let terms = "public domain"

    public static var standard: TinyShakespeare? { TinyShakespeare() }

    static let file = RemoteFile(
        name: "input.txt",
        addresses: [
            URL(
                string:
                    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
            )!
        ],
        byteCount: 1_115_394, md5: "6fb458f1232090904fb40fe944165e91",
        contentSHA256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed")

    public func resolved() -> TinyShakespeare {
        TinyShakespeare(length: length, tokens: tokens.resolved())
    }

    public func load(from locations: DataLocations) throws -> Dataset {
        let url = try locations.locate(Self.file, of: "tinyshakespeare")
        let bytes = try MappedFile.contents(of: url)
        try Self.file.verify(bytes, at: url, of: "tinyshakespeare")
        return try TextData(file: url.path, tokens: tokens, length: length)
            .dataset(of: bytes, at: url.path, named: "tinyshakespeare")
    }
}

extension TinyShakespeare: PublishedData {
    public var name: String { Self.entry.name }
    public var summary: String { Self.entry.summary }
    public var files: [RemoteFile] { [Self.file] }
    public var source: String { Self.origin }
    public var licence: String { Self.terms }
}
