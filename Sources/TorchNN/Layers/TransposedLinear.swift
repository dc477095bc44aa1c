import Torch

/// y = x·W + b, for x [… inputs] and W [inputs, outputs]: a linear layer whose weight lies the other way round.
///
/// GPT-2's checkpoints have their weights so. Names: `weight`, `bias`, as `Conv1D` of Hugging Face's transformers.
public struct TransposedLinear: Module {
    public let weight: Tensor
    public let bias: Tensor

    /// The weight is drawn from N(0, deviation²), the bias is 0. Throws where there is no memory. Traps for sizes below 1.
    public init(
        _ inputs: Int, _ outputs: Int, deviation: Double = 0.02, seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) {
        demand(
            inputs > 0 && outputs > 0, "TransposedLinear: the sizes \(inputs) → \(outputs) must be positive")
        weight = try .normal([inputs, outputs], seed: derivedSeed(seed, "weight"), dtype: dtype)
        weight.scaleInPlace(deviation)
        weight.requiringGradient()
        bias = try .zeros([outputs], dtype: dtype).requiringGradient()
    }

    /// A layer of these tensors, W [inputs, outputs] and b [outputs]. Traps where the shapes do not agree.
    public init(weight: Tensor, bias: Tensor) {
        demand(
            weight.rank == 2 && bias.shape == [weight.size(1)],
            "TransposedLinear: the weight is \(weight.shape) and the bias \(bias.shape)")
        self.weight = weight
        self.bias = bias
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("weight", weight), NamedTensor("bias", bias)] }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.linear(weight.transposed(0, 1), bias)
    }
}
