import Foundation
import Torch

/// Actions between −1 and 1: a normal variate of each element, squashed.
///
/// ```
/// u ~ N(μ, σ²),   a = tanh(u)
/// log π(a) = Σ log N(u; μ, σ²) − log(1 − tanh²u),   log(1 − tanh²u) = 2(log 2 − u − log(1 + e⁻²ᵘ))
/// ```
///
/// The density is that of a itself, whatever the unit of an environment's actions; the right form of the last term
/// neither overflows nor needs a small number under the logarithm.
///
/// Source: Haarnoja et al. 2018, Soft Actor-Critic, appendix C.
public enum SquashedGaussian {
    /// log π(tanh u) of each row, [n, 1].
    ///
    /// - Parameters:
    ///   - u: the variates before they are squashed, [n, elements].
    ///   - mean: μ, [n, elements].
    ///   - logDeviation: log σ, [n, elements].
    public static func logDensity(of u: Tensor, mean: Tensor, logDeviation: Tensor) -> Tensor {
        logDensity(of: u, standardised: (u - mean) * (-logDeviation).exp(), logDeviation: logDeviation)
    }

    /// The same where (u − μ)/σ is known.
    public static func logDensity(of u: Tensor, standardised: Tensor, logDeviation: Tensor) -> Tensor {
        // −½ξ² − log σ − ½ log 2π − 2(log 2 − u − softplus(−2u))
        let squash = u + (u * -2).softplus()
        let constant = 0.5 * Foundation.log(2 * Double.pi) + 2 * Foundation.log(2.0)
        return (standardised.squared() * -0.5 - logDeviation + squash * 2 - constant).sum(
            along: 1, keep: true)
    }
}
