import Foundation
import Torch
import TorchNN

/// α, the weight of the entropy in soft actor-critic: learnt by its logarithm, so that it stays positive.
///
/// Name: `log_alpha`, one number.
public struct Temperature: Module {
    public let logAlpha: Tensor

    /// - Throws: `TorchError` where there is no memory.
    public init(_ alpha: Double) throws(TorchError) {
        logAlpha = try Tensor.full([1], log(alpha)).requiringGradient()
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("log_alpha", logAlpha)] }

    /// α as it stands.
    public var value: Double { exp(logAlpha.item()) }

    /// α·x.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { logAlpha.exp() * x }
}
