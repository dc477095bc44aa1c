import Torch
import TorchNN

/// A squashed Gaussian whose noise is ``StateDependentNoise``.
///
/// ```
/// a = tanh(μ(s) + φ(s)·Θ),   log π by N(μ(s), Var ε(s)), squashed;   |μ| ≤ 2
/// ```
///
/// φ are the features before the last layer of the perceptron that gives μ; gradients flow into them from the noise too. A
/// batch shares one Θ. As in Stable-Baselines3's SAC with `use_sde`.
///
/// Names: `0.weight`, `2.weight`, … of the perceptron, and `exploration.log_std`.
///
/// Source: Raffin, Kober and Stulp 2021, Smooth Exploration for Robotic Reinforcement Learning.
public struct StateDependentActor: SquashedActor {
    private let network: Perceptron
    public let exploration: StateDependentNoise

    /// - Throws: `TorchError` where there is no memory.
    public init(
        observations: Int, hidden: [Int], actions: Int, activation: Activation, logDeviation: Double,
        seed: UInt64
    ) throws {
        network = try Perceptron([observations] + hidden + [actions], activation: activation, seed: seed)
        exploration = try StateDependentNoise(
            features: hidden.last ?? observations, actions: actions, logDeviation: logDeviation)
    }

    public var children: [NamedModule] { network.children + [NamedModule("exploration", exploration)] }

    public func noiseShape(rows: Int) -> [Int] { exploration.logDeviation.shape }

    public func sample(_ observations: Tensor, noise: Tensor) -> (actions: Tensor, logDensity: Tensor) {
        let features = network.features(observations, .evaluation)
        let mean = bounded(network.head(features, .evaluation))
        let u = mean + exploration.noise(features, matrix: exploration.matrix(noise))
        return (
            u.tanh(),
            SquashedGaussian.logDensity(
                of: u, mean: mean, logDeviation: exploration.variance(features).log() * 0.5)
        )
    }

    public func act(_ observations: Tensor, noise: Tensor) -> Tensor {
        act(observations, matrix: exploration.matrix(noise))
    }

    /// The actions with a matrix Θ for all rows, or one for each.
    public func act(_ observations: Tensor, matrix: Tensor) -> Tensor {
        let features = network.features(observations, .evaluation)
        return
            (bounded(network.head(features, .evaluation)) + exploration.noise(features, matrix: matrix))
            .tanh()
    }

    public func mean(_ observations: Tensor) -> Tensor {
        bounded(network.forward(observations, .evaluation)).tanh()
    }

    /// Where the mean leaves ±2, tanh has no slope left to come back on.
    private func bounded(_ mean: Tensor) -> Tensor { mean.clamped(to: -2...2) }
}
