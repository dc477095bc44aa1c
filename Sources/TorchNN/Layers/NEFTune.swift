import Torch

/// An embedding that is noisy in training: NEFTune.
///
/// ```
/// y = W[x] + α/√(L·d)·u,    u ~ U(−1, 1) per element
/// ```
///
/// for int64 indices x [… positions], with d the embedding's width and L the true length of the sequence: its positions
/// that are not padding. Padding gets no noise. The expected norm of a sequence's noise is α/√3, whatever its length.
/// In evaluation y = W[x] exactly. The weights are the embedding's, under its names.
///
/// Source: Jain et al. 2023, NEFTune: Noisy Embeddings Improve Instruction Finetuning (α = 5, 10 or 15 there).
public struct NEFTune: Module {
    public let embedding: Embedding
    /// α, ≥ 0.
    public let alpha: Double

    /// Traps for an α that is negative or not finite.
    public init(_ embedding: Embedding, alpha: Double = 5) {
        demand(alpha >= 0 && alpha.isFinite, "NEFTune: α is \(alpha); it must be a finite number ≥ 0")
        self.embedding = embedding
        self.alpha = alpha
    }

    public var ownParameters: [NamedTensor] { embedding.ownParameters }

    /// Traps for an index that is no row, and for one without positions (a scalar).
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        demand(x.rank >= 1, "NEFTune: takes indices [… positions], not a scalar")
        let rows = embedding.forward(x, context)
        guard context.training && alpha > 0 else { return rows }
        let width = rows.size(-1)
        let unit = drawn("NEFTune") { () throws(TorchError) in
            try .uniform(rows.shape, low: -1, high: 1, seed: context.seed, dtype: rows.dtype)
        }.moved(to: rows.device)
        guard let padding = embedding.padding else {
            return rows + unit * (alpha / Double(max(x.size(-1), 1) * width).squareRoot())
        }
        let isReal = 1 - x.equal(to: Double(padding)).converted(to: rows.dtype)
        // A sequence of padding alone has no noise to scale.
        let lengths = isReal.sum(along: -1, keep: true).clamped(to: 1...1e12)
        let scale = (lengths * Double(width)).power(-0.5) * isReal * alpha
        return rows + unit * scale.unsqueezed(-1)
    }
}
