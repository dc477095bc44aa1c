import Datasets
import Foundation
import TorchNN

/// A GPT-2 as Hugging Face publishes it, to be fine-tuned: a directory with `config.json` and `model.safetensors`.
///
/// Training goes on from its weights, all of them or, with `lora`, small adapters beside them. The run's `model` is the
/// same kind of directory with the trained weights, for `AutoModelForCausalLM.from_pretrained`.
///
/// ```yaml
/// model: {gpt2: {directory: gpt2, neftune: 5}}
/// ```
public struct GPT2: ModelArchitecture, Hashable {
    /// The path of the directory.
    public var directory: String
    /// Of the directory's configuration and weights, as `resolved` finds it; empty: any.
    public var sha256: String
    /// In place of the probabilities in `config.json`; in 0..<1.
    public var dropout: Double?
    /// α of NEFTune's noise on the embedding; 0: none.
    public var neftune: Double
    /// Adapters to train in place of the weights.
    public var lora: LoRA?

    public init(
        directory: String, sha256: String = "", dropout: Double? = nil, neftune: Double = 0, lora: LoRA? = nil
    ) {
        self.directory = directory
        self.sha256 = sha256
        self.dropout = dropout
        self.neftune = neftune
        self.lora = lora
    }

    public init() { self.init(directory: "") }

    private enum CodingKeys: String, CodingKey { case directory, sha256, dropout, neftune, lora }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        directory = try settings.value(.directory, default: "")
        sha256 = try settings.value(.sha256, default: "")
        dropout =
            try settings.container.decodeIfPresent(Double.self, forKey: .dropout) == nil
            ? nil : settings.probability(.dropout, default: 0)
        neftune = try settings.magnitude(.neftune, default: 0)
        lora = try settings.container.decodeIfPresent(LoRA.self, forKey: .lora)
    }

    public static let needsFile = true

    public static let entry = ModelEntry(
        name: "gpt2", summary: "A GPT-2 of Hugging Face's form, to be fine-tuned",
        equation:
            "x = W[tokens] + P; x ← x + attention(ln(x)), x ← x + mlp(ln(x)) per layer; scores = W·ln(x)",
        parameters: [
            .init(
                "directory", type: "path", default: "none",
                allowed: "a directory with config.json and model.safetensors (or its parts and their index)",
                meaning: "the network and its weights, from which training goes on"),
            .init(
                "sha256", type: "text", default: "none", allowed: "64 hexadecimal digits",
                meaning: "of those files, which the run's own configuration notes: others are refused"),
            .init(
                "dropout", type: "number", default: "config.json's", allowed: "0 ≤ p < 1",
                meaning: "the probability that a number is left out in training"),
            .neftune,
            .init(
                "lora", type: "mapping", default: "none",
                allowed:
                    "{rank: 8, alpha: 16, dropout: 0, targets: [\(LoRA.projections.joined(separator: ", "))]}",
                meaning: "adapters of these projections are trained, and everything else stays"),
        ],
        source: "Radford et al. 2019, Language Models are Unsupervised Multitask Learners")

    private var url: URL { URL(fileURLWithPath: directory).standardizedFileURL }

    /// With the checksum of the files, if they can be read; `build` says why where they cannot.
    public func resolved() -> GPT2 {
        guard !directory.isEmpty else { return self }
        var resolved = self
        resolved.directory = url.path
        if sha256.isEmpty, let found = try? PretrainedWeights.checksum(of: url) { resolved.sha256 = found }
        return resolved
    }

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        guard !directory.isEmpty else {
            throw ModelError(
                code: .file,
                message: "gpt2: there is no directory; allowed: model: {gpt2: {directory: path}}")
        }
        let (vocabulary, length) = try kind.tokens(for: "gpt2")
        let configuration = try GPT2Configuration(contentsOf: url.appendingPathComponent("config.json"))
        var shape = configuration.shape
        try check(kind, vocabulary, length, against: shape)
        if !sha256.isEmpty {
            let found = try PretrainedWeights.checksum(of: url)
            guard found == sha256.lowercased() else {
                throw ModelError(
                    code: .file,
                    message:
                        "gpt2: the files in \(directory) have SHA-256 \(found.prefix(16))…, but the configuration "
                        + "says \(sha256.prefix(16))…: they have changed; allowed: the same, or no sha256")
            }
        }
        if let dropout { shape = shape.dropping(dropout) }
        let weights = try PretrainedWeights(directory: url)
        var model = try GPTModel(shape, neftune: neftune, seed: seed)
        try weights.load(into: model.parameters)
        if !kind.target.isPerToken { model.classes = kind.target.classes }
        if let lora { try model.adapt(lora, seed: derivedSeed(seed, "lora")) }
        return GPT2Network(model: model, lora: lora, directory: url)
    }

    private func check(_ kind: ExampleKind, _ vocabulary: Int, _ length: Int, against shape: GPTShape)
        throws(ModelError)
    {
        let largest = max(vocabulary, kind.target.classes)
        guard largest <= shape.vocabulary else {
            throw ModelError(
                code: .target,
                message:
                    "gpt2: the data have \(largest) tokens, and \(directory) has \(shape.vocabulary); allowed: the "
                    + "tokens of the directory's own tokenizer")
        }
        guard length <= shape.context else {
            throw ModelError(
                code: .settings,
                message:
                    "gpt2: the data's sequences have \(length) tokens, and n_positions of \(directory) is "
                    + "\(shape.context); allowed: at most that")
        }
    }
}
