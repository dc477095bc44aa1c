import Datasets
import Foundation
import Models
import Safetensors
import TorchNN
import Training

/// A trained model of texts, with the vocabulary that its tokens belong to: what `peo generate` asks.
public struct TextModel {
    private let model: any Module
    private let vocabulary: TextVocabulary
    /// The longest sequence that the model sees.
    public let context: Int

    /// Opens a run of a model of texts, or a directory of GPT-2 as Hugging Face publishes it.
    ///
    /// - Throws: `ModelError` where neither is there, or the model predicts no tokens of a text; `FileError`,
    ///   `DatasetError`, `TokenizerError`, ``ConfigError`` for a file of it.
    public init(contentsOf url: URL) throws {
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
        }
        if exists("config.json") {
            try self.init(pretrained: url)
        } else if exists("config.yaml") {
            try self.init(run: url)
        } else {
            throw FileError(
                path: url.path, operation: .open, reason: .missing,
                detail: "no model of texts is there (a run has a config.yaml, a GPT-2 a config.json)")
        }
    }

    private init(pretrained url: URL) throws {
        vocabulary = try TextVocabulary(tokenizer: url.path)
        context = try GPT2Configuration(contentsOf: url.appendingPathComponent("config.json")).shape.context
        model = try GPT2(directory: url.path).build(for: Self.kind(vocabulary, context), seed: 0)
    }

    private init(run url: URL) throws {
        let config = try ExperimentConfig(contentsOf: url.appendingPathComponent("config.yaml"))
        func refuse(_ problem: String) -> ModelError {
            ModelError(code: .target, message: "\(url.relativePath): \(problem)")
        }
        let tokenizer = url.appendingPathComponent("tokenizer")
        guard FileManager.default.fileExists(atPath: tokenizer.path) else {
            throw refuse(
                "the run keeps no vocabulary, so that its data are no texts; allowed: a run on texts")
        }
        let weights = url.appendingPathComponent("model.safetensors")
        guard FileManager.default.fileExists(atPath: weights.path) else {
            throw FileError(
                path: weights.path, operation: .open, reason: .missing,
                detail: "the run is not finished; go on with: peo train --resume \(url.relativePath)")
        }
        vocabulary = try TextVocabulary(keptIn: tokenizer)
        if let pretrained = config.model.architecture as? GPT2 {
            // What the run left is a directory of the same kind, with the trained weights.
            let trained = url.appendingPathComponent("model")
            context = try GPT2Configuration(contentsOf: trained.appendingPathComponent("config.json")).shape
                .context
            model = try GPT2(directory: trained.path, neftune: pretrained.neftune)
                .build(for: Self.kind(vocabulary, context), seed: 0)
            return
        }
        let file = try SafetensorsFile(contentsOf: weights)
        // A recurrent network has no longest sequence of its own.
        context = file["wpe.weight"]?.shape.first ?? 256
        guard config.model.architecture.predictsTokens else {
            throw refuse("\(config.model.name) predicts no next token; allowed: gpt, gpt2, lstm, gru")
        }
        model = try config.model.architecture.build(for: Self.kind(vocabulary, context), seed: 0)
        try model.loadState(from: file)
    }

    private static func kind(_ vocabulary: TextVocabulary, _ context: Int) -> ExampleKind {
        ExampleKind(
            .tokens(vocabulary: vocabulary.count, length: context), .classPerToken(of: vocabulary.count))
    }

    /// A text that goes on from `prompt`.
    public struct Continuation: Codable, Sendable, Equatable {
        public var prompt: String
        /// What follows the prompt.
        public var text: String
        public var tokens: [Int]
    }

    /// Goes on with a text until it ends, for `count` tokens at most.
    ///
    /// - Parameter prompt: empty: from the token that ends a text, where there is one.
    /// - Throws: `DatasetError` for a character outside the vocabulary; `ModelError` for scores that are not finite.
    public func generate(after prompt: String, count: Int, sampler: TokenSampler) throws -> Continuation {
        var start = try vocabulary.encode(prompt)
        if start.isEmpty {
            guard let end = vocabulary.endOfText else {
                throw DatasetError(
                    .value, "the prompt is empty; allowed: one character at least, of the vocabulary's")
            }
            start = [end]
        }
        let end = vocabulary.endOfText
        var tokens = try TextGeneration(
            model, context: context, sampler: sampler, ends: end.map { [$0] } ?? []
        ).tokens(after: start, count: count, below: vocabulary.count)
        if tokens.last == end { tokens.removeLast() }
        return Continuation(prompt: prompt, text: try vocabulary.decode(tokens), tokens: tokens)
    }
}

extension ModelArchitecture {
    /// Whether the network scores the token after each of a sequence's.
    fileprivate var predictsTokens: Bool { self is GPT || self is LSTM || self is GRU }
}
