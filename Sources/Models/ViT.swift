import Datasets
import Torch
import TorchNN

/// A vision transformer: an image as a sequence of patches, each a token, with one more token that is scored.
///
/// ```
/// z = [c, W·patch₁, W·patch₂, …] + p;  z ← z + MSA(LN(z));  z ← z + MLP(LN(z)) per layer;  logits = W·LN(z)₀ + b
/// ```
///
/// Names and first weights are those of torchvision's `VisionTransformer`: `class_token`, `conv_proj`,
/// `encoder.pos_embedding`, `encoder.layers.encoder_layer_0.ln_1`, …, `encoder.ln`, `heads.head`; the head
/// starts at 0.
///
/// ```swift
/// let model = try ViT(patch: 4, width: 192, layers: 12, heads: 3, hidden: 768)
///     .build(input: [3, 32, 32], classes: 10, seed: 1)
/// ```
///
/// Source: Dosovitskiy et al. 2021, An Image is Worth 16×16 Words.
public struct ViT: ModelArchitecture, Hashable {
    /// The side of a patch, in pixels; divides the image's sides.
    public var patch: Int
    /// The length of a token; a multiple of `heads`.
    public var width: Int
    public var layers: Int
    public var heads: Int
    /// The units of each layer's perceptron.
    public var hidden: Int
    /// After the positions, attention and the perceptron's two layers; in 0..<1.
    public var dropout: Double

    public init(
        patch: Int = 4, width: Int = 64, layers: Int = 4, heads: Int = 4, hidden: Int = 128,
        dropout: Double = 0
    ) {
        self.patch = patch
        self.width = width
        self.layers = layers
        self.heads = heads
        self.hidden = hidden
        self.dropout = dropout
    }

    public init() { self.init(patch: 4) }

    private enum CodingKeys: String, CodingKey { case patch, width, layers, heads, hidden, dropout }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        patch = try settings.size(.patch, default: defaults.patch)
        width = try settings.size(.width, default: defaults.width)
        layers = try settings.value(.layers, default: defaults.layers)
        heads = try settings.size(.heads, default: defaults.heads)
        hidden = try settings.size(.hidden, default: defaults.hidden)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        guard (1...1000).contains(layers) else {
            throw settings.refuse(.layers, "layers is \(layers); allowed: 1 to 1000")
        }
        try settings.requireHeads(heads, divide: width, .heads)
    }

    public static let entry = ModelEntry(
        name: "vit", summary: "A vision transformer, for images",
        equation: "z ← z + MSA(LN(z)); z ← z + MLP(LN(z)) per layer; logits = W·LN(z)₀ + b",
        parameters: [
            .init(
                "patch", type: "whole number", default: "4",
                allowed: "1 to 1000000; divides the image's sides",
                meaning: "the side of a patch, in pixels"),
            .init(
                "width", type: "whole number", default: "64", allowed: "1 to 1000000; a multiple of heads",
                meaning: "the length of a token"),
            .init(
                "layers", type: "whole number", default: "4", allowed: "1 to 1000",
                meaning: "the layers of attention"),
            .init(
                "heads", type: "whole number", default: "4", allowed: "1 to 1000000; divides the width",
                meaning: "the heads of each layer's attention"),
            .init(
                "hidden", type: "whole number", default: "128", allowed: "1 to 1000000",
                meaning: "the units of each layer's perceptron"),
            .dropout,
        ],
        source: "Dosovitskiy and others 2021, An image is worth 16x16 words")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        let image = try kind.image(for: "vit")
        let classes = try kind.classes(for: "vit")
        guard image.height.isMultiple(of: patch), image.width.isMultiple(of: patch) else {
            throw ModelError(
                code: .inputShape,
                message:
                    "vit: patches of \(patch)×\(patch) do not tile an image of \(image.height)×\(image.width); "
                    + "allowed: a patch that divides both")
        }
        guard width.isMultiple(of: heads) else {
            throw ModelError(
                code: .settings, message: "vit: heads is \(heads); allowed: a divisor of the width \(width)")
        }
        let inputs = image.channels * patch * patch
        let tokens = (image.height / patch) * (image.width / patch) + 1
        let projection = try Conv2d(
            image.channels, width, kernel: Extent(patch, patch), stride: Extent(patch, patch),
            initialiser: .normal(deviation: 1 / Double(inputs).squareRoot()),
            seed: derivedSeed(seed, "conv_proj"))
        return VisionTransformer(
            classToken: try .zeros([1, 1, width]).requiringGradient(), projection: projection,
            encoder: PatchEncoder(
                positions: try .normal(
                    [1, tokens, width], deviation: 0.02, seed: derivedSeed(seed, "pos_embedding")
                ).requiringGradient(),
                dropout: Dropout(dropout),
                layers: try (0..<layers).map {
                    try EncoderLayer(
                        width, heads: heads, hidden: hidden, dropout: dropout,
                        seed: derivedSeed(seed, "encoder_layer_\($0)"))
                },
                norm: try LayerNorm([width], epsilon: 1e-6)),
            head: try Linear(width, classes, initialiser: .constant(0), seed: derivedSeed(seed, "head")))
    }
}

/// Patches to tokens, the encoder, and a linear layer on the first token.
private struct VisionTransformer: Module {
    let classToken: Tensor
    let projection: Conv2d
    let encoder: PatchEncoder
    let head: Linear

    var ownParameters: [NamedTensor] { [NamedTensor("class_token", classToken)] }
    var children: [NamedModule] {
        [
            NamedModule("conv_proj", projection), NamedModule("encoder", encoder),
            NamedModule("heads", NamedModules([NamedModule("head", head)])),
        ]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let patches = projection.forward(x, context).flattened(from: 2).transposed(1, 2)
        let first = classToken.expanded([x.size(0), 1, classToken.size(2)])
        let tokens = Tensor.concatenated([first, patches], along: 1)
        let encoded = encoder.forward(tokens, context.entering("encoder"))
        return head.forward(encoded.selected(1, at: 0), context)
    }
}

private struct PatchEncoder: Module {
    let positions: Tensor
    let dropout: Dropout
    let layers: [EncoderLayer]
    let norm: LayerNorm

    var ownParameters: [NamedTensor] { [NamedTensor("pos_embedding", positions)] }
    var children: [NamedModule] {
        let named = layers.enumerated().map { NamedModule("encoder_layer_\($0.offset)", $0.element) }
        return [NamedModule("layers", NamedModules(named)), NamedModule("ln", norm)]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var x = dropout.forward(x + positions, context.entering("dropout"))
        for (number, layer) in layers.enumerated() { x = layer.forward(x, context.entering(number)) }
        return norm.forward(x, context)
    }
}

/// z ← z + MSA(LN(z)); z ← z + MLP(LN(z)).
private struct EncoderLayer: Module {
    let firstNorm: LayerNorm
    let attention: MultiheadAttention
    let secondNorm: LayerNorm
    let dropout: Dropout
    let perceptron: Sequential

    init(_ width: Int, heads: Int, hidden: Int, dropout: Double, seed: UInt64) throws(TorchError) {
        firstNorm = try LayerNorm([width], epsilon: 1e-6)
        attention = try MultiheadAttention(width, heads: heads, seed: derivedSeed(seed, "self_attention"))
        secondNorm = try LayerNorm([width], epsilon: 1e-6)
        self.dropout = Dropout(dropout)
        perceptron = Sequential(
            try Linear(width, hidden, initialiser: .xavierUniform, seed: derivedSeed(seed, "mlp.0")),
            Activation.gelu, Dropout(dropout),
            try Linear(hidden, width, initialiser: .xavierUniform, seed: derivedSeed(seed, "mlp.3")),
            Dropout(dropout))
    }

    var children: [NamedModule] {
        [
            NamedModule("ln_1", firstNorm), NamedModule("self_attention", attention),
            NamedModule("ln_2", secondNorm), NamedModule("mlp", perceptron),
        ]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let seen = attention.forward(
            firstNorm.forward(x, context), context.entering("self_attention"))
        let x = x + dropout.forward(seen, context.entering("dropout"))
        return x + perceptron.forward(secondNorm.forward(x, context), context.entering("mlp"))
    }
}

/// A name for modules that their owner calls itself.
private struct NamedModules: Module {
    let children: [NamedModule]

    init(_ children: [NamedModule]) { self.children = children }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        children.reduce(x) { $1.module.forward($0, context.entering($1.name)) }
    }
}
