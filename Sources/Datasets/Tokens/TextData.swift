import Foundation
import PerturbedEquations
import Safetensors

/// A text of one's own, for models of the next token: its first part to fit with, its last part to measure on.
///
/// Training draws blocks at random places, by (seed, epoch); evaluation takes all blocks of the last part, side by side.
///
/// ```yaml
/// data: {text: {file: book.txt, tokens: characters, length: 64}}
/// data: {text: {file: book.txt, tokens: {tokenizer: gpt2}, length: 256}}
/// ```
public struct TextData: DataSource {
    /// UTF-8.
    public var file: String
    /// Default characters.
    public var tokens: TextTokens
    /// Tokens of one block, ≥ 1 (default 64).
    public var length: Int
    /// The share of the text that is measured on, in (0, 1) (default 0.1).
    public var testFraction: Double

    public init(
        file: String, tokens: TextTokens = .characters, length: Int = 64, testFraction: Double = 0.1
    ) {
        self.file = file
        self.tokens = tokens
        self.length = length
        self.testFraction = testFraction
    }

    private enum CodingKeys: String, CodingKey { case file, tokens, length, testFraction }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        tokens = try settings.value(.tokens, default: .characters)
        length = try settings.number(.length, default: 64, in: 1...1_000_000)
        testFraction = try settings.share(.testFraction, default: 0.1)
        file = try settings.value(.file)
    }

    static let length = CatalogueEntry.Parameter(
        "length", "integer", default: "64", allowed: "1 to 1000000", unit: "tokens", "of one block")

    public static let entry = CatalogueEntry(
        name: "text", summary: "your own text, for the next token",
        equation: "x = tokens t … t + length − 1, y = tokens t + 1 … t + length",
        parameters: [
            .init("file", "path", allowed: "a UTF-8 text", "the text"),
            TextTokens.parameter, length,
            .init(
                "testFraction", "number", default: "0.1", allowed: "more than 0, less than 1",
                "the share at the end that is measured on"),
        ], source: "your file")

    public func resolved() -> TextData {
        var data = self
        data.file = fullPath(file)
        data.tokens = tokens.resolved()
        return data
    }

    public func load(from _: DataLocations) throws -> Dataset {
        try dataset(
            of: MappedFile.contents(of: URL(fileURLWithPath: file)), at: file, named: "text")
    }

    /// The data set of a text's bytes.
    func dataset(of bytes: Data, at path: String, named name: String) throws -> Dataset {
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw DatasetError(.format, "\(path) is not UTF-8 text; allowed: UTF-8")
        }
        let vocabulary = try tokens.vocabulary(of: text)
        let numbers = try vocabulary.encode(text).map(Int32.init)
        let cut = Int(Double(numbers.count) * (1 - testFraction))
        return Dataset(
            name: name,
            kind: ExampleKind(
                .tokens(vocabulary: vocabulary.count, length: length), .classPerToken(of: vocabulary.count)),
            classNames: vocabulary.names,
            train: try DataSplit(
                text: numbers, part: 0..<cut, length: length, overlapping: true,
                named: "\(path), its training part"),
            test: try DataSplit(
                text: numbers, part: cut..<numbers.count, length: length, overlapping: false,
                named: "\(path), its test part"),
            vocabulary: vocabulary)
    }
}
