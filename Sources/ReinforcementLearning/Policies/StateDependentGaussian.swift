import Foundation
import PerturbedEquations
import Torch

/// Normal actions whose noise is a ``StateDependentNoise``, held for some steps: gSDE in an on-policy algorithm.
///
/// ```
/// a = μ(s) + φ(s)·Θ,   π(a|s) = ∏ N(aᵢ; μᵢ(s), Var εᵢ(s)),   Var ε(s) = (φ ⊙ φ)·(e^l ⊙ e^l) + 10⁻⁶
/// ```
///
/// The network gives μ and then φ, what its last layer sees; no gradient flows into φ from the noise. Each copy has a Θ of its
/// own, drawn at the beginning of a rollout and every so many steps after it: a pure function of the key, the step and l, so that
/// nothing of it is kept. As in Stable-Baselines3's PPO with `use_sde`.
///
/// Source: Raffin, Kober and Stulp 2021, Smooth Exploration for Robotic Reinforcement Learning.
public struct StateDependentGaussian: PolicyDistribution {
    private let noise: StateDependentNoise
    private let features: Int
    private let actionSize: Int
    private let every: Int
    private let rolloutLength: Int

    /// - Parameters:
    ///   - every: for how many steps a matrix is held, ≥ 1.
    ///   - rolloutLength: steps of a rollout, at whose beginning it is drawn anew in any case.
    public init(_ noise: StateDependentNoise, every: Int, rolloutLength: Int) {
        self.noise = noise
        features = noise.logDeviation.size(0)
        actionSize = noise.logDeviation.size(1)
        self.every = every
        self.rolloutLength = rolloutLength
    }

    public var outputSize: Int { actionSize + features }

    /// log π = −½·Σ((a − μ)²/Var) − Σ(½·log Var + ½·log 2π); the entropy is the rows' mean of Σ(½·log Var + ½ + ½·log 2π).
    public func evaluate(
        _ actions: Tensor, under outputs: Tensor
    ) -> (logProbability: Tensor, entropy: Tensor) {
        let mean = outputs.narrowed(1, to: 0..<actionSize)
        let variance = noise.variance(outputs.narrowed(1, to: actionSize..<outputSize))
        let logs = (variance.log() * 0.5).sum(along: 1, keep: true)
        let squares = ((actions - mean).squared() / variance).sum(along: 1, keep: true)
        let constant = 0.5 * Foundation.log(2 * Double.pi) * Double(actionSize)
        return (squares * -0.5 - (logs + constant), logs.mean() + (constant + 0.5 * Double(actionSize)))
    }

    public func sample(
        _ outputs: Span<Float>, key: NoiseKey, step: Int, into actions: inout MutableSpan<Float>
    ) {
        let held = step - step % rolloutLength % every
        var matrix = [Float](repeating: 0, count: features * actionSize)
        noise.logDeviation.withUnsafeMutableBytes { bytes in
            let deviations = bytes.assumingMemoryBound(to: Float.self).map { exp($0) }
            for row in 0..<actions.count / actionSize {
                var variates = matrix.mutableSpan
                NoiseStream(key: key, step: held, parameter: row, term: 0).fill(&variates, with: .normal)
                let first = row * outputSize
                for action in 0..<actionSize {
                    var value = outputs[first + action]
                    for feature in 0..<features {
                        let place = feature * actionSize + action
                        value += outputs[first + actionSize + feature] * deviations[place] * matrix[place]
                    }
                    actions[row * actionSize + action] = value
                }
            }
        }
    }

    public func mode(_ outputs: Span<Float>, into actions: inout MutableSpan<Float>) {
        for i in actions.indices { actions[i] = outputs[i / actionSize * outputSize + i % actionSize] }
    }

    public func tensor(_ actions: [Float], count: Int) throws -> Tensor {
        try Tensor(actions, shape: [count, actionSize])
    }
}
