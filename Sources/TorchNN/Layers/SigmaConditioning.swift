import Foundation
import Torch

/// Tells a network how noisy things are: each channel is scaled and shifted by what it learns to make of σ(t).
///
/// ```
/// y = x·(1 + γ(σ)) + β(σ),   (γ, β) = W·φ(σ),   φₖ(σ) = 1 − exp(−2ᵏσ), k = 0 … 7
/// ```
///
/// for x [n, channels, …] and σ = `ForwardContext.sigma`, ≥ 0. φ is 0 without noise, saturates at σ ≫ 1, and tells
/// levels down to about 1/1000 apart. W starts at 0, so that a new layer is the identity; at σ = 0, which includes every
/// evaluation, it always is, exactly. What it learns is thereby a correction for the noise. In training let σ(t) end at
/// or near 0, so that the rest of the network sees the case it will be used in. Name: `weight` [2·channels, 8].
///
/// Sources: Perez et al. 2018, FiLM: Visual Reasoning with a General Conditioning Layer (the scale and shift); Song and
/// Ermon 2019, Generative Modeling by Estimating Gradients of the Data Distribution (networks told the noise's level).
public struct SigmaConditioning: Module {
    /// W.
    public let weight: Tensor
    /// How many numbers φ has.
    public static let features = 8

    /// Throws where there is no memory. Traps for channels below 1.
    public init(_ channels: Int, dtype: DType = .float32) throws(TorchError) {
        demand(channels > 0, "SigmaConditioning: the channels \(channels) must be positive")
        weight = try .zeros([2 * channels, Self.features], dtype: dtype).requiringGradient()
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("weight", weight)] }

    /// φ(σ).
    public static func features(of sigma: Double) -> [Double] {
        (0..<features).map { -expm1(-sigma * Double(1 << $0)) }
    }

    /// Traps for a σ that is negative or not a number, and where x has other channels.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let channels = weight.size(0) / 2
        demand(
            x.rank >= 2 && x.size(1) == channels,
            "SigmaConditioning: takes [n, \(channels), …], not \(x.shape)")
        demand(context.sigma >= 0, "SigmaConditioning: σ is \(context.sigma); it must be ≥ 0")
        guard context.sigma > 0 else { return x }
        let features = drawn("SigmaConditioning") { () throws(TorchError) in
            try Tensor(Self.features(of: context.sigma)).converted(to: weight.dtype)
        }.moved(to: weight.device)
        let both = weight.matmul(features)
        let shape = [1, channels] + [Int](repeating: 1, count: x.rank - 2)
        let scale = both[0..<channels].reshaped(shape)
        let shift = both[channels..<2 * channels].reshaped(shape)
        return x * (scale + 1) + shift
    }
}
