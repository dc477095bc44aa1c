import Torch
import TorchNN

/// A policy whose actions lie between −1 and 1, and are drawn by way of noise that is given: what soft actor-critic learns.
public protocol SquashedActor: Module {
    /// The shape of the normal variates ξ that a batch of so many rows takes.
    func noiseShape(rows: Int) -> [Int]

    /// Actions [n, elements] and log π of each [n, 1]; both can be derived through the noise (reparameterised).
    func sample(_ observations: Tensor, noise: Tensor) -> (actions: Tensor, logDensity: Tensor)

    /// The actions of ``sample(_:noise:)`` alone.
    func act(_ observations: Tensor, noise: Tensor) -> Tensor

    /// The actions without noise: tanh(μ), [n, elements].
    func mean(_ observations: Tensor) -> Tensor
}

extension SquashedActor {
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { mean(x) }
}
