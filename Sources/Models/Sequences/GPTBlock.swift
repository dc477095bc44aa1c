import Torch
import TorchNN

/// One layer of GPT-2: x ← x + attention(ln_1(x)); x ← x + W′·f(W·ln_2(x) + b) + b′.
///
/// The four projections can be replaced, for adapters. Names: `ln_1`, `attn.c_attn`, `attn.c_proj`, `ln_2`, `mlp.c_fc`,
/// `mlp.c_proj`, as in Hugging Face's GPT-2.
public struct GPTBlock: Module {
    public var norm1: LayerNorm
    /// Width to three widths: queries, keys and values.
    public var attentionIn: any Module
    public var attentionOut: any Module
    public var norm2: LayerNorm
    public var hiddenIn: any Module
    public var hiddenOut: any Module
    public let shape: GPTShape

    /// Projections back into x start with 0.02/√(2·layers).
    init(_ shape: GPTShape, seed: UInt64) throws(TorchError) {
        func linear(
            _ name: String, _ inputs: Int, _ outputs: Int, _ deviation: Double
        ) throws(TorchError) -> TransposedLinear {
            try TransposedLinear(inputs, outputs, deviation: deviation, seed: derivedSeed(seed, name))
        }
        let back = 0.02 / Double(2 * shape.layers).squareRoot()
        let width = shape.width
        norm1 = try LayerNorm([width], epsilon: shape.epsilon)
        attentionIn = try linear("attn.c_attn", width, 3 * width, 0.02)
        attentionOut = try linear("attn.c_proj", width, width, back)
        norm2 = try LayerNorm([width], epsilon: shape.epsilon)
        hiddenIn = try linear("mlp.c_fc", width, shape.hidden, 0.02)
        hiddenOut = try linear("mlp.c_proj", shape.hidden, width, back)
        self.shape = shape
    }

    public var children: [NamedModule] {
        [
            NamedModule("ln_1", norm1), NamedModule("attn.c_attn", attentionIn),
            NamedModule("attn.c_proj", attentionOut), NamedModule("ln_2", norm2),
            NamedModule("mlp.c_fc", hiddenIn), NamedModule("mlp.c_proj", hiddenOut),
        ]
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        func dropped(_ x: Tensor, _ name: String) -> Tensor {
            context.drops && shape.residualDropout > 0
                ? x.dropout(shape.residualDropout, seed: context.entering(name).seed) : x
        }
        func apply(_ module: any Module, _ name: String, _ x: Tensor) -> Tensor {
            module.forward(x, context.entering(name))
        }
        let packed = apply(attentionIn, "attn.c_attn", norm1.forward(x, context))
        let mixed = packed.packedAttention(
            heads: shape.heads, causal: true, dropout: context.drops ? shape.attentionDropout : 0,
            seed: context.entering("attn.attn_dropout").seed)
        let attended = x + dropped(apply(attentionOut, "attn.c_proj", mixed), "attn.resid_dropout")
        let hidden = activated(apply(hiddenIn, "mlp.c_fc", norm2.forward(attended, context)), context)
        return attended + dropped(apply(hiddenOut, "mlp.c_proj", hidden), "mlp.dropout")
    }

    private func activated(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        switch shape.function {
        case .tanhGELU: x.gelu(tanhApproximation: true)
        case .named(let function): function.forward(x, context)
        }
    }
}
