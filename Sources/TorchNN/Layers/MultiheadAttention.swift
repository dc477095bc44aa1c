import Torch

/// Self-attention with several heads: each looks at all positions with its own part of the width.
///
/// ```
/// (Q, K, V) = x·W_inᵀ + b_in, cut into heads of width d;  y = concat(softmax(Q·Kᵀ/√d)·V)·W_outᵀ + b_out
/// ```
///
/// for x [n, positions, width]. Names: `in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias`, as
/// `torch.nn.MultiheadAttention` with `batch_first=True`, and its initial weights: Xavier's uniform for W_in, zero
/// biases. With dropout, attention is not fused. Source: Vaswani et al. 2017,
/// Attention Is All You Need.
public struct MultiheadAttention: Module {
    public let inputWeight: Tensor
    public let inputBias: Tensor
    public let output: Linear
    public let heads: Int
    /// Whether a position sees no later one.
    public let causal: Bool
    /// The probability that a score is left out in training, in 0..<1.
    public let dropout: Double

    /// - Throws: `TorchError` where there is no memory. Traps where `heads` do not divide the width.
    public init(
        _ width: Int, heads: Int, causal: Bool = false, dropout: Double = 0, seed: UInt64,
        dtype: DType = .float32
    ) throws(TorchError) {
        demand(
            heads > 0 && width > 0 && width.isMultiple(of: heads),
            "MultiheadAttention: \(heads) heads must divide the width \(width)")
        demand(
            dropout >= 0 && dropout < 1,
            "MultiheadAttention: the dropout \(dropout) must be at least 0 and below 1")
        inputWeight = try .zeros([3 * width, width], dtype: dtype)
        try Initialiser.xavierUniform.fill(inputWeight, seed: derivedSeed(seed, "in_proj_weight"))
        inputWeight.requiringGradient()
        inputBias = try .zeros([3 * width], dtype: dtype).requiringGradient()
        output = try Linear(width, width, seed: derivedSeed(seed, "out_proj"), dtype: dtype)
        if let bias = output.bias { withoutGradients { bias.fillInPlace(0) } }
        self.heads = heads
        self.causal = causal
        self.dropout = dropout
    }

    public var ownParameters: [NamedTensor] {
        [NamedTensor("in_proj_weight", inputWeight), NamedTensor("in_proj_bias", inputBias)]
    }
    public var children: [NamedModule] { [NamedModule("out_proj", output)] }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let width = output.weight.size(0)
        demand(
            x.rank == 3 && x.size(2) == width,
            "MultiheadAttention: takes [n, positions, \(width)], not \(x.shape)")
        // One call, whose backward pass joins the three parts' gradients instead of adding them to zeros.
        let mixed = x.linear(inputWeight, inputBias).packedAttention(
            heads: heads, causal: causal, dropout: context.drops ? dropout : 0,
            seed: derivedSeed(context.seed, "scores"))
        return output.forward(mixed, context)
    }
}
