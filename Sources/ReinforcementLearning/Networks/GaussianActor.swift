import Torch
import TorchNN

/// A squashed Gaussian whose mean and deviation are both functions of the observation.
///
/// ```
/// (μ, l) = f(s),   log σ = −5 + 3.5(tanh l + 1) ∈ (−5, 2),   a = tanh(μ + σξ),   ξ ~ N(0, 1) per element
/// ```
///
/// Its weights are those of the perceptron f, whose output is μ and then l: `0.weight`, `0.bias`, `2.weight`, …
///
/// Source: Haarnoja et al. 2018, Soft Actor-Critic; the bounds of log σ as in CleanRL.
public struct GaussianActor: SquashedActor {
    private let network: Perceptron
    private let actions: Int

    /// - Parameters:
    ///   - hidden: widths of the hidden layers.
    /// - Throws: `TorchError` where there is no memory.
    public init(observations: Int, hidden: [Int], actions: Int, activation: Activation, seed: UInt64) throws {
        network = try Perceptron([observations] + hidden + [2 * actions], activation: activation, seed: seed)
        self.actions = actions
    }

    public var children: [NamedModule] { network.children }

    public func noiseShape(rows: Int) -> [Int] { [rows, actions] }

    public func sample(_ observations: Tensor, noise: Tensor) -> (actions: Tensor, logDensity: Tensor) {
        let (mean, logDeviation) = parameters(at: observations)
        let u = mean + logDeviation.exp() * noise
        return (
            u.tanh(), SquashedGaussian.logDensity(of: u, standardised: noise, logDeviation: logDeviation)
        )
    }

    public func act(_ observations: Tensor, noise: Tensor) -> Tensor {
        let (mean, logDeviation) = parameters(at: observations)
        return (mean + logDeviation.exp() * noise).tanh()
    }

    /// μ and log σ.
    private func parameters(at observations: Tensor) -> (mean: Tensor, logDeviation: Tensor) {
        let output = network.forward(observations, .evaluation)
        return (
            output.narrowed(1, to: 0..<actions),
            output.narrowed(1, to: actions..<2 * actions).tanh() * 3.5 - 1.5
        )
    }

    public func mean(_ observations: Tensor) -> Tensor {
        network.forward(observations, .evaluation).narrowed(1, to: 0..<actions).tanh()
    }
}
