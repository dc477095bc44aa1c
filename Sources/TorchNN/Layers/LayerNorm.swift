import Torch

/// y = (x − μ)/√(s² + ε)·w + b, over the last dimensions of each element of the batch.
///
/// Names: `weight`, `bias`, as `torch.nn.LayerNorm`. Source: Ba, Kiros and Hinton 2016, Layer Normalization.
public struct LayerNorm: Module {
    /// The sizes of the dimensions that are normalised together.
    public let shape: [Int]
    public let weight: Tensor
    public let bias: Tensor
    public let epsilon: Double

    /// Throws where there is no memory. Traps for sizes below 1.
    public init(_ shape: [Int], epsilon: Double = 1e-5, dtype: DType = .float32) throws(TorchError) {
        demand(
            !shape.isEmpty && shape.allSatisfy { $0 > 0 }, "LayerNorm: the shape \(shape) must be positive")
        self.shape = shape
        weight = try .ones(shape, dtype: dtype).requiringGradient()
        bias = try .zeros(shape, dtype: dtype).requiringGradient()
        self.epsilon = epsilon
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("weight", weight), NamedTensor("bias", bias)] }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.layerNorm(shape, weight: weight, bias: bias, epsilon: epsilon)
    }
}
