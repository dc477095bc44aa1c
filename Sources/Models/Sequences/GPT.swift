import Datasets
import Torch
import TorchNN

/// A decoder of the GPT-2 family, for data that ask for a token at each token; or for one class of a sequence, class k being
/// token k after the last one.
///
/// Weights are drawn as nanoGPT draws them: N(0, 0.02²), projections back into the sum 0.02/√(2·layers), biases 0.
///
/// ```yaml
/// model: {gpt: {layers: 4, heads: 4, width: 128}}
/// ```
public struct GPT: ModelArchitecture, Hashable {
    public var layers: Int
    /// Must divide the width.
    public var heads: Int
    public var width: Int
    /// The longest sequence; 0: the data's.
    public var context: Int
    /// Of the embedding, the softmax and what each block adds; in 0..<1.
    public var dropout: Double
    /// α of NEFTune's noise on the embedding; 0: none.
    public var neftune: Double

    public init(
        layers: Int = 4, heads: Int = 4, width: Int = 128, context: Int = 0, dropout: Double = 0,
        neftune: Double = 0
    ) {
        self.layers = layers
        self.heads = heads
        self.width = width
        self.context = context
        self.dropout = dropout
        self.neftune = neftune
    }

    public init() { self.init(layers: 4) }

    private enum CodingKeys: String, CodingKey { case layers, heads, width, context, dropout, neftune }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        layers = try settings.size(.layers, default: defaults.layers)
        heads = try settings.size(.heads, default: defaults.heads)
        width = try settings.size(.width, default: defaults.width)
        context = try settings.sizeOrNone(.context, default: defaults.context)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        neftune = try settings.magnitude(.neftune, default: defaults.neftune)
        try settings.requireHeads(heads, divide: width, .heads)
    }

    public static let entry = ModelEntry(
        name: "gpt", summary: "A decoder of the GPT-2 family, for the next token",
        equation:
            "x = W[tokens] + P; x ← x + attention(ln(x)), x ← x + mlp(ln(x)) per layer; scores = W·ln(x)",
        parameters: [
            .layers("4"), .heads, .width("128"), .context, .sequenceDropout, .neftune,
        ],
        source: "Radford et al. 2019, Language Models are Unsupervised Multitask Learners")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        let (vocabulary, length) = try kind.tokens(for: "gpt")
        let classes = kind.target.scale == nil ? kind.target.classes : 0
        guard classes > 0, kind.target.isPerToken ? classes == vocabulary : classes <= vocabulary else {
            throw ModelError(
                code: .target,
                message:
                    "gpt: the data have \(classes) classes and \(vocabulary) tokens; allowed: classes that are "
                    + "tokens (try transformer, lstm)")
        }
        let shape = GPTShape(
            vocabulary: vocabulary, context: try longest(context, for: length, "gpt"), width: width,
            layers: layers, heads: heads)
        var model = try GPTModel(shape.dropping(dropout), neftune: neftune, seed: seed)
        if !kind.target.isPerToken { model.classes = classes }
        return model
    }
}

/// The longest sequence of a model, that its data must not exceed.
func longest(_ context: Int, for length: Int, _ model: String) throws(ModelError) -> Int {
    let context = context > 0 ? context : length
    guard length <= context else {
        throw ModelError(
            code: .settings,
            message:
                "\(model): the data's sequences have \(length) tokens, and context is \(context); allowed: at "
                + "least \(length)")
    }
    return context
}
