import Foundation
import PerturbedEquations
import Safetensors

/// Instructions with answers, for fine-tuning a language model: the loss is that of the answers alone.
///
/// ```yaml
/// data: {instructions: {train: tasks.jsonl, tokenizer: gpt2, length: 256}}
/// ```
///
/// A line is a JSON object with `instruction`, `input` (may be left out) and `output`; with `prompt` and `completion`; or with
/// `messages`, a list of `role` (system, user, assistant) and `content`, of which the assistant's are the answers. Other keys
/// are left alone. Errors name file and line.
///
/// An example is the tokens of what stands before the answer, the answer's, and the token that ends a text; the loss is the
/// mean over the last two. A conversation ends with its last answer. Added tokens in a text, such as `<|endoftext|>`, are
/// recognised. Examples of a batch are padded on the right to the longest.
///
/// Source: Taori and others 2023, Stanford Alpaca.
public struct InstructionData: DataSource, Hashable {
    /// What becomes of an example that is longer than `length`.
    public enum TooLong: String, Codable, Sendable, CaseIterable {
        /// It is left out.
        case skip
        /// Its end is cut off; left out only if nothing of an answer is left.
        case cut
    }

    /// JSON Lines, UTF-8.
    public var train: String
    /// The file to test on; without it, a share of `train`.
    public var test: String?
    /// In (0, 1) (default 0.1). Which examples depends on their number alone.
    public var testFraction: Double
    /// The path of a `tokenizer.json`, or of a folder with Hugging Face's files.
    public var tokenizer: String
    /// The most tokens of an example, ≥ 1 (default 256).
    public var length: Int
    /// Default skip.
    public var tooLong: TooLong
    public var template: InstructionTemplate

    public init(
        train: String, test: String? = nil, testFraction: Double = 0.1, tokenizer: String,
        length: Int = 256, tooLong: TooLong = .skip, template: InstructionTemplate = .init()
    ) {
        self.train = train
        self.test = test
        self.testFraction = testFraction
        self.tokenizer = tokenizer
        self.length = length
        self.tooLong = tooLong
        self.template = template
    }

    private enum CodingKeys: String, CodingKey {
        case train, test, testFraction, tokenizer, length, tooLong, template
    }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        test = try settings.optional(.test)
        let fraction: Double? = try settings.optional(.testFraction)
        try settings.check(
            fraction == nil || test == nil, .testFraction, "is given, and 'test' too; give one of the two")
        testFraction = try settings.share(.testFraction, default: 0.1)
        length = try settings.number(.length, default: 256, in: 1...1_000_000)
        tooLong = try settings.value(.tooLong, default: .skip)
        template = try settings.value(.template, default: InstructionTemplate())
        train = try settings.value(.train)
        tokenizer = try settings.value(.tokenizer)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(train, forKey: .train)
        try container.encodeIfPresent(test, forKey: .test)
        if test == nil { try container.encode(testFraction, forKey: .testFraction) }
        try container.encode(tokenizer, forKey: .tokenizer)
        try container.encode(length, forKey: .length)
        try container.encode(tooLong, forKey: .tooLong)
        try container.encode(template, forKey: .template)
    }

    public static let entry = CatalogueEntry(
        name: "instructions", summary: "your own instructions and answers, for a language model",
        equation:
            "loss: the mean over the answer's tokens and the end's; JSON Lines with instruction, input, output; "
            + "prompt, completion; or messages",
        parameters: [
            .init("train", "path", allowed: "JSON Lines", "the examples to train on"),
            .init(
                "test", "path", default: "none", allowed: "JSON Lines",
                "the examples to test on; without it, a share of train"),
            .init(
                "testFraction", "number", default: "0.1", allowed: "0 < share < 1",
                "the share of train that is for testing where there is no test; the same examples in every run"
            ),
            .init(
                "tokenizer", "path", allowed: "a tokenizer.json, or a folder with Hugging Face's files",
                "how texts become tokens"),
            .init(
                "length", "integer", default: "256", allowed: "1 to 1000000", unit: "tokens",
                "of one example at most"),
            .init(
                "tooLong", "name", default: "skip",
                allowed: TooLong.allCases.map(\.rawValue).joined(separator: ", "),
                "whether a longer example is left out, or loses its end"),
            .init(
                "template", "mapping", default: "Alpaca's headings",
                allowed: "instruction, instructionWithInput, message", "what stands around an instruction"),
        ], source: "Taori et al. 2023, Stanford Alpaca: An Instruction-Following LLaMA Model")

    public func resolved() -> InstructionData {
        var data = self
        data.train = fullPath(train)
        data.test = test.map(fullPath)
        data.tokenizer = fullPath(tokenizer)
        return data
    }

    public func load(from _: DataLocations) throws -> Dataset {
        let vocabulary = try TextVocabulary(tokenizer: tokenizer)
        guard let end = vocabulary.endOfText else {
            throw DatasetError(
                .value,
                "\(tokenizer): no token ends a text; allowed: an added token <|endoftext|>, or the eos_token of "
                    + "tokenizer_config.json")
        }
        var warnings: [String] = []
        func read(_ path: String) throws -> DataSplit {
            let file = try InstructionFile(
                MappedFile.contents(of: URL(fileURLWithPath: path)), named: path, template)
            return try split(file, vocabulary, end: end, &warnings)
        }
        let all = try read(train)
        let (train, test) = try self.test.map { (all, try read($0)) } ?? parts(of: all)
        return Dataset(
            name: "instructions",
            kind: ExampleKind(
                .tokens(vocabulary: vocabulary.count, length: length), .classPerToken(of: vocabulary.count)),
            classNames: vocabulary.names, train: train, test: test, warnings: warnings,
            vocabulary: vocabulary)
    }

    private func parts(of all: DataSplit) throws -> (train: DataSplit, test: DataSplit) {
        let count = Int((Double(all.count) * testFraction).rounded())
        guard count > 0, count < all.count else {
            throw DatasetError(
                .request,
                "\(train): a share of \(testFraction) of \(all.count) examples for testing is \(count); allowed: "
                    + "1 to \(all.count - 1)")
        }
        let order = NoiseKey(seed: 0).derived("test").permutation(of: all.count)
        return (
            all.selecting(order.dropLast(count).sorted()), all.selecting(order.suffix(count).sorted())
        )
    }

    /// The examples as tokens.
    private func split(
        _ file: InstructionFile, _ vocabulary: TextVocabulary, end: Int, _ warnings: inout [String]
    ) throws -> DataSplit {
        var sequences = TokenSequences(padding: Int32(end))
        var (cut, skipped) = (0, 0)
        for example in file.examples {
            var tokens: [Int32] = []
            var asked: [Bool] = []
            for piece in example.pieces {
                let own =
                    try vocabulary.encode(piece.text).map(Int32.init) + (piece.isAnswer ? [Int32(end)] : [])
                tokens += own
                asked += repeatElement(piece.isAnswer, count: own.count)
            }
            // The last token is only a target.
            if tokens.count > length + 1 {
                tokens.removeLast(tokens.count - length - 1)
                asked.removeLast(asked.count - length - 1)
                guard tooLong == .cut, asked.dropFirst().contains(true) else {
                    skipped += 1
                    continue
                }
                cut += 1
            }
            sequences.append(tokens, asked: asked)
        }
        for (count, what) in [(cut, "cut"), (skipped, "left out")] where count > 0 {
            warnings.append(
                "\(file.name): \(count) of \(file.examples.count) examples have more than \(length) tokens and are \(what)"
            )
        }
        guard sequences.count > 0 else {
            throw DatasetError(
                .value,
                "\(file.name): all \(file.examples.count) examples have more than \(length) tokens; allowed: a larger "
                    + "length, or tooLong: cut")
        }
        return DataSplit(sequences, length: length)
    }
}
