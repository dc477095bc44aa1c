import Torch

/// The cross-correlation of images x [n, inputs, h, w] with W [outputs, inputs/groups, kh, kw], plus b.
///
/// The result has ⌊(h + 2·padding − dilation·(kh − 1) − 1)/stride⌋ + 1 rows, and columns likewise. Names:
/// `weight`, `bias`, as `torch.nn.Conv2d`.
public struct Conv2d: Module {
    public let weight: Tensor
    public let bias: Tensor?
    public let stride: Extent
    public let padding: Extent
    public let dilation: Extent
    public let groups: Int

    /// Throws where there is no memory for the weights. Traps for sizes below 1, and for groups that do not
    /// divide the inputs and outputs.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
        dilation: Extent = 1, groups: Int = 1, bias: Bool = true, initialiser: Initialiser = .standard,
        seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) {
        demand(
            inputs > 0 && outputs > 0 && kernel.height > 0 && kernel.width > 0,
            "Conv2d: the sizes \(inputs) → \(outputs), kernel \(kernel) must be positive")
        demand(
            groups > 0 && inputs.isMultiple(of: groups) && outputs.isMultiple(of: groups),
            "Conv2d: \(groups) groups must divide the channels \(inputs) → \(outputs)")
        weight = try .zeros([outputs, inputs / groups, kernel.height, kernel.width], dtype: dtype)
        try initialiser.fill(weight, seed: derivedSeed(seed, "weight"))
        self.bias =
            bias
            ? try initialiser.bias(for: weight, count: outputs, seed: derivedSeed(seed, "bias"), dtype: dtype)
                .requiringGradient() : nil
        weight.requiringGradient()
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
    }

    public var ownParameters: [NamedTensor] {
        [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.conv2d(weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
}
