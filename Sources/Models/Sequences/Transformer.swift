import Datasets
import Torch
import TorchNN

/// A Transformer encoder on tokens: one class for the whole sequence, from the mean over its places. (Not for a text's next
/// token, which it would see.)
///
/// ```yaml
/// model: {transformer: {layers: 2, heads: 4, width: 64}}
/// ```
public struct Transformer: ModelArchitecture, Hashable {
    public var layers: Int
    /// Must divide the width.
    public var heads: Int
    public var width: Int
    /// The hidden units of each layer's perceptron; 0: four widths.
    public var hidden: Int
    public var activation: Activation
    /// Norms before attention and perceptron, and a last one, rather than after them as published.
    public var normFirst: Bool
    /// The longest sequence; 0: the data's.
    public var context: Int
    /// In 0..<1.
    public var dropout: Double
    /// α of NEFTune's noise on the embedding; 0: none.
    public var neftune: Double

    public init(
        layers: Int = 2, heads: Int = 4, width: Int = 64, hidden: Int = 0, activation: Activation = .relu,
        normFirst: Bool = true, context: Int = 0, dropout: Double = 0, neftune: Double = 0
    ) {
        self.layers = layers
        self.heads = heads
        self.width = width
        self.hidden = hidden
        self.activation = activation
        self.normFirst = normFirst
        self.context = context
        self.dropout = dropout
        self.neftune = neftune
    }

    public init() { self.init(layers: 2) }

    private enum CodingKeys: String, CodingKey {
        case layers, heads, width, hidden, activation, normFirst, context, dropout, neftune
    }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        layers = try settings.size(.layers, default: defaults.layers)
        heads = try settings.size(.heads, default: defaults.heads)
        width = try settings.size(.width, default: defaults.width)
        hidden = try settings.sizeOrNone(.hidden, default: defaults.hidden)
        activation = try settings.value(.activation, default: defaults.activation)
        normFirst = try settings.value(.normFirst, default: defaults.normFirst)
        context = try settings.sizeOrNone(.context, default: defaults.context)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        neftune = try settings.magnitude(.neftune, default: defaults.neftune)
        try settings.requireHeads(heads, divide: width, .heads)
    }

    public static let entry = ModelEntry(
        name: "transformer", summary: "A Transformer encoder, for the class of a sequence",
        equation:
            "x = W[tokens] + P; x ← x + attention(ln(x)), x ← x + mlp(ln(x)) per layer; scores = W·mean(x) + b",
        parameters: [
            .layers("2"), .heads, .width("64"),
            .init(
                "hidden", type: "whole number", default: "0", allowed: "0 to 1000000",
                meaning: "the hidden units of each layer's perceptron; 0: four widths"),
            .activation,
            .init(
                "normFirst", type: "true or false", default: "true", allowed: "true, false",
                meaning:
                    "norms before attention and perceptron, and a last one; false: after them, as published"),
            .context, .sequenceDropout, .neftune,
        ], source: "Vaswani et al. 2017, Attention Is All You Need")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        let (vocabulary, length) = try kind.tokens(for: "transformer")
        let classes = try kind.classes(for: "transformer")
        let context = try longest(context, for: length, "transformer")
        func own(_ name: String) -> UInt64 { derivedSeed(seed, name) }
        let position = try Tensor.normal([context, width], seed: own("position"))
        position.scaleInPlace(0.02)
        let stack = try (0..<layers).map {
            try TransformerEncoderLayer(
                width, heads: heads, hidden: hidden > 0 ? hidden : 4 * width, dropout: dropout,
                activation: activation,
                normFirst: normFirst, seed: own("encoder.layers.\($0)"))
        }
        return TokenClassifier(
            embedding: NEFTune(try smallEmbedding(vocabulary, width, seed: own("embedding")), alpha: neftune),
            position: position.requiringGradient(), bodyName: "encoder",
            body: TransformerEncoder(stack, norm: normFirst ? try LayerNorm([width]) : nil),
            summary: .mean,
            head: try Linear(width, classes, seed: own("head")), dropout: Dropout(dropout))
    }
}
