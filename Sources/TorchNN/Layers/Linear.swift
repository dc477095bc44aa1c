import Torch

/// y = x·Wᵀ + b, for x [… inputs] and W [outputs, inputs].
///
/// Names: `weight`, `bias`, as `torch.nn.Linear`.
public struct Linear: Module {
    public let weight: Tensor
    public let bias: Tensor?

    /// Throws where there is no memory for the weights. Traps for sizes below 1.
    public init(
        _ inputs: Int, _ outputs: Int, bias: Bool = true, initialiser: Initialiser = .standard, seed: UInt64,
        dtype: DType = .float32
    ) throws(TorchError) {
        demand(inputs > 0 && outputs > 0, "Linear: the sizes \(inputs) → \(outputs) must be positive")
        weight = try .zeros([outputs, inputs], dtype: dtype)
        try initialiser.fill(weight, seed: derivedSeed(seed, "weight"))
        self.bias =
            bias
            ? try initialiser.bias(for: weight, count: outputs, seed: derivedSeed(seed, "bias"), dtype: dtype)
                .requiringGradient() : nil
        weight.requiringGradient()
    }

    public var ownParameters: [NamedTensor] {
        [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { x.linear(weight, bias) }
}
