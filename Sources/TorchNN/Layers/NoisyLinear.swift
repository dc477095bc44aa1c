import Torch

/// A linear layer whose weights are noisy in training, by as much as it learns to want.
///
/// ```
/// y = (M + S ⊙ E)·x + m + s ⊙ e,    E = f(ε_out)·f(ε_in)ᵀ,  e = f(ε_out),  f(ε) = sign(ε)·√|ε|,  ε ~ N(0, 1)
/// ```
///
/// for x [… inputs], M and S [outputs, inputs], m and s [outputs]. One draw of inputs + outputs numbers serves a whole
/// forward pass; E is never made. In evaluation y = M·x + m exactly. Given x, Var[y] = (2/π)·(S ⊙ S)·(x ⊙ x) +
/// √(2/π)·s ⊙ s.
///
/// M and m start as `Linear`'s; S and s at σ₀/√inputs, with σ₀ = 0.5 in the paper (many implementations divide the
/// bias's by √outputs). Names: `weight_mu`, `weight_sigma`, `bias_mu`, `bias_sigma`, as usual in PyTorch; the noise is
/// no part of the state.
///
/// Source: Fortunato et al. 2018, Noisy Networks for Exploration (arXiv 1706.10295), factorised Gaussian noise.
public struct NoisyLinear: Module {
    /// M.
    public let weightMean: Tensor
    /// S.
    public let weightSigma: Tensor
    /// m.
    public let biasMean: Tensor
    /// s.
    public let biasSigma: Tensor

    /// - Parameter sigma: σ₀, ≥ 0.
    /// - Throws: `TorchError` where there is no memory for the weights. Traps for sizes below 1 or a negative σ₀.
    public init(
        _ inputs: Int, _ outputs: Int, sigma: Double = 0.5, initialiser: Initialiser = .standard,
        seed: UInt64,
        dtype: DType = .float32
    ) throws(TorchError) {
        demand(inputs > 0 && outputs > 0, "NoisyLinear: the sizes \(inputs) → \(outputs) must be positive")
        demand(sigma >= 0 && sigma.isFinite, "NoisyLinear: σ₀ is \(sigma); it must be a finite number ≥ 0")
        let start = sigma / Double(inputs).squareRoot()
        weightMean = try .zeros([outputs, inputs], dtype: dtype)
        try initialiser.fill(weightMean, seed: derivedSeed(seed, "weight"))
        biasMean = try initialiser.bias(
            for: weightMean, count: outputs, seed: derivedSeed(seed, "bias"), dtype: dtype)
        weightSigma = try .full([outputs, inputs], start, dtype: dtype)
        biasSigma = try .full([outputs], start, dtype: dtype)
        for tensor in [weightMean, weightSigma, biasMean, biasSigma] { tensor.requiringGradient() }
    }

    public var ownParameters: [NamedTensor] {
        [
            NamedTensor("weight_mu", weightMean), NamedTensor("weight_sigma", weightSigma),
            NamedTensor("bias_mu", biasMean), NamedTensor("bias_sigma", biasSigma),
        ]
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let mean = x.linear(weightMean, biasMean)
        guard context.training else { return mean }
        let noise = noise(context)
        // (S ⊙ f_out·f_inᵀ)·x = f_out ⊙ (S·(f_in ⊙ x))
        return mean + (x * noise.inputs).linear(weightSigma, biasSigma) * noise.outputs
    }

    /// f(ε_in) [inputs] and f(ε_out) [outputs] of a forward pass in this context.
    public func noise(_ context: ForwardContext) -> (inputs: Tensor, outputs: Tensor) {
        func draw(_ count: Int, _ side: String) -> Tensor {
            let normal = drawn("NoisyLinear") { () throws(TorchError) in
                try .normal([count], seed: derivedSeed(context.seed, side), dtype: weightMean.dtype)
            }.moved(to: weightMean.device)
            return normal.sign() * normal.absolute().squareRoot()
        }
        return (draw(weightMean.size(1), "inputs"), draw(weightMean.size(0), "outputs"))
    }
}
