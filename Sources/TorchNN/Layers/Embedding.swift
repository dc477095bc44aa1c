import Torch

/// The row of W [words, width] at each int64 index: x […] becomes [… width].
///
/// Weights are drawn from N(0, 1), as in PyTorch. Name: `weight`, as `torch.nn.Embedding`.
public struct Embedding: Module {
    public let weight: Tensor
    /// The row that stands for "nothing": it starts at 0 and gets no gradient.
    public let padding: Int?

    /// Throws where there is no memory. Traps for sizes below 1, or a padding that is no row.
    public init(
        _ words: Int, _ width: Int, padding: Int? = nil, seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) {
        demand(words > 0 && width > 0, "Embedding: the sizes \(words) × \(width) must be positive")
        weight = try .normal([words, width], seed: derivedSeed(seed, "weight"), dtype: dtype)
        if let padding {
            demand(
                (0..<words).contains(padding), "Embedding: the padding row \(padding) is outside 0..<\(words)"
            )
            weight[padding].fillInPlace(0)
        }
        weight.requiringGradient()
        self.padding = padding
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("weight", weight)] }

    /// Rows of bfloat16 come as float32, as every layer computes. Traps for an index that is no row.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let rows = x.embedded(in: weight, padding: padding)
        return weight.dtype == .bfloat16 ? rows.converted(to: .float32) : rows
    }
}
