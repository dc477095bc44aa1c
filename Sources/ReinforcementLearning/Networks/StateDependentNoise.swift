import Torch
import TorchNN

/// Noise of actions that is a linear function of what the policy's last layer sees: the same in the same state for as long as
/// its matrix is held.
///
/// ```
/// ε(s) = φ(s)·Θ,   Θ = e^l ⊙ Ξ,   Ξ ~ N(0, 1) per element
/// Var ε(s) = (φ(s) ⊙ φ(s))·(e^l ⊙ e^l)
/// ```
///
/// for features φ [n, features] and l [features, actions]. Name: `log_std`, as in Stable-Baselines3's
/// `StateDependentNoiseDistribution` with `full_std`.
///
/// Source: Raffin, Kober and Stulp 2021, Smooth Exploration for Robotic Reinforcement Learning.
public struct StateDependentNoise: Module {
    /// l.
    public let logDeviation: Tensor

    /// What is added to a variance before its root is taken, as in Stable-Baselines3.
    public static let smallVariance = 1e-6

    /// - Parameter logDeviation: each element of l at the beginning.
    /// - Throws: `TorchError` where there is no memory.
    public init(features: Int, actions: Int, logDeviation: Double) throws(TorchError) {
        self.logDeviation = try Tensor.full([features, actions], logDeviation).requiringGradient()
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("log_std", logDeviation)] }

    /// Θ for variates Ξ, [features, actions] or a matrix for each of several rows, [n, features, actions].
    public func matrix(_ variates: Tensor) -> Tensor { logDeviation.exp() * variates }

    /// ε [n, actions] for features [n, features] and a matrix for all rows, or one for each.
    public func noise(_ features: Tensor, matrix: Tensor) -> Tensor {
        matrix.rank == 2
            ? features.matmul(matrix) : features.unsqueezed(1).matmul(matrix).squeezed(1)
    }

    /// The variance of ε plus ``smallVariance``, [n, actions].
    public func variance(_ features: Tensor) -> Tensor {
        features.squared().matmul((logDeviation * 2).exp()) + Self.smallVariance
    }

    /// The variance.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { variance(x) }
}
