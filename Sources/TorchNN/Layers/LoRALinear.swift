import Torch

/// A linear layer that stays as it is, with a small one beside it that learns: LoRA.
///
/// ```
/// y = x·W + b + (α/r)·dropout(x)·Aᵀ·Bᵀ
/// ```
///
/// for x [… inputs], A [r, inputs] and B [outputs, r]. A starts as PEFT's, U(−1/√inputs, 1/√inputs), and B at 0, so that the
/// layer starts as the one it takes the place of. Names: `lora_A.weight`, `lora_B.weight`, and what stays
/// `base_layer.weight`, `base_layer.bias`, as in Hugging Face's PEFT.
///
/// Source: Hu et al. 2021, LoRA: Low-Rank Adaptation of Large Language Models.
public struct LoRALinear: Module {
    public let base: TransposedLinear
    /// A.
    public let down: Tensor
    /// B.
    public let up: Tensor
    public let alpha: Double
    /// Of what the adapter reads, in training; in 0..<1.
    public let dropout: Double

    /// Freezes `base`.
    /// - Throws: `TorchError` where there is no memory. Traps for a rank below 1.
    public init(
        _ base: TransposedLinear, rank: Int, alpha: Double, dropout: Double = 0, seed: UInt64
    ) throws(TorchError) {
        demand(rank > 0, "LoRALinear: the rank \(rank) must be positive")
        self.base = base
        self.alpha = alpha
        self.dropout = dropout
        let dtype = base.weight.dtype
        down = try .zeros([rank, base.weight.size(0)], dtype: dtype)
        try Initialiser.standard.fill(down, seed: derivedSeed(seed, "lora_A.weight"))
        up = try .zeros([base.weight.size(1), rank], dtype: dtype)
        for tensor in [down, up] { tensor.requiringGradient() }
        for tensor in [base.weight, base.bias] { tensor.requiringGradient(false) }
    }

    private var scale: Double { alpha / Double(down.size(0)) }

    public var ownParameters: [NamedTensor] {
        [NamedTensor("lora_A.weight", down), NamedTensor("lora_B.weight", up)]
    }

    public var ownFrozen: [NamedTensor] {
        base.ownParameters.map { NamedTensor("base_layer.\($0.name)", $0.tensor) }
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let read =
            context.drops && dropout > 0
            ? x.dropout(dropout, seed: context.entering("lora_dropout").seed) : x
        return base.forward(x, context) + read.linear(down, nil).linear(up, nil) * scale
    }

    /// One plain layer with the same function: W + (α/r)·(B·A)ᵀ, in float32 where the weights are bfloat16.
    public func merged() -> TransposedLinear {
        withoutGradients {
            func wide(_ tensor: Tensor) -> Tensor {
                tensor.dtype == .bfloat16 ? tensor.converted(to: .float32) : tensor
            }
            let change = wide(up).matmul(wide(down)).transposed(0, 1) * scale
            return TransposedLinear(weight: (wide(base.weight) + change).contiguous(), bias: wide(base.bias))
        }
    }
}
