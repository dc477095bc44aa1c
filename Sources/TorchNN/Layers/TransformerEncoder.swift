import Torch

/// One layer of a Transformer encoder: attention and a two-layer perceptron, each added to its input.
///
/// ```
/// x ← norm1(x + attention(x));  x ← norm2(x + linear2(f(linear1(x))))          (as published)
/// x ← x + attention(norm1(x));  x ← x + linear2(f(linear1(norm2(x))))          (`normFirst`)
/// ```
///
/// with dropout on the softmax, the hidden units and both sums' second terms. Names as `torch.nn.TransformerEncoderLayer`.
/// Sources: Vaswani et al. 2017, Attention Is All You Need; Xiong et al. 2020, On Layer Normalization in the Transformer.
public struct TransformerEncoderLayer: Module {
    public let attention: MultiheadAttention
    public let linear1: Linear
    public let linear2: Linear
    public let norm1: LayerNorm
    public let norm2: LayerNorm
    public let activation: Activation
    public let normFirst: Bool
    private let dropout: Dropout

    /// Throws where there is no memory. Traps where the heads do not divide the width.
    public init(
        _ width: Int, heads: Int, hidden: Int, dropout: Double = 0, activation: Activation = .relu,
        normFirst: Bool = false, seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) {
        attention = try MultiheadAttention(
            width, heads: heads, dropout: dropout, seed: derivedSeed(seed, "self_attn"), dtype: dtype)
        linear1 = try Linear(width, hidden, seed: derivedSeed(seed, "linear1"), dtype: dtype)
        linear2 = try Linear(hidden, width, seed: derivedSeed(seed, "linear2"), dtype: dtype)
        norm1 = try LayerNorm([width], dtype: dtype)
        norm2 = try LayerNorm([width], dtype: dtype)
        self.activation = activation
        self.normFirst = normFirst
        self.dropout = Dropout(dropout)
    }

    public var children: [NamedModule] {
        [
            NamedModule("self_attn", attention), NamedModule("linear1", linear1),
            NamedModule("linear2", linear2),
            NamedModule("norm1", norm1), NamedModule("norm2", norm2),
        ]
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        func attended(_ x: Tensor) -> Tensor {
            dropout.forward(
                attention.forward(x, context.entering("self_attn")), context.entering("dropout1"))
        }
        func perceptron(_ x: Tensor) -> Tensor {
            let units = activation.forward(linear1.forward(x, context), context)
            let kept = dropout.forward(units, context.entering("dropout"))
            return dropout.forward(linear2.forward(kept, context), context.entering("dropout2"))
        }
        if normFirst {
            let x = x + attended(norm1.forward(x, context))
            return x + perceptron(norm2.forward(x, context))
        }
        let x = norm1.forward(x + attended(x), context)
        return norm2.forward(x + perceptron(x), context)
    }
}

/// Layers of a Transformer encoder one after another, and with `normFirst` a last norm. Names as
/// `torch.nn.TransformerEncoder`: `layers.0.…`, `norm`.
public struct TransformerEncoder: Module {
    public let layers: [TransformerEncoderLayer]
    public let norm: LayerNorm?

    public init(_ layers: [TransformerEncoderLayer], norm: LayerNorm? = nil) {
        self.layers = layers
        self.norm = norm
    }

    public var children: [NamedModule] {
        layers.enumerated().map { NamedModule("layers.\($0.offset)", $0.element) }
            + (norm.map { [NamedModule("norm", $0)] } ?? [])
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var x = x
        for (number, layer) in layers.enumerated() {
            x = layer.forward(x, context.entering("layers.\(number)"))
        }
        return norm?.forward(x, context) ?? x
    }
}
