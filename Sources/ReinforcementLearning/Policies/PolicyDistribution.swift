import Environments
import Foundation
import PerturbedEquations
import Torch

/// A distribution of actions whose numbers a network gives: π(a|s).
public protocol PolicyDistribution {
    /// How many numbers the network gives for an observation.
    var outputSize: Int { get }

    /// log π(a|s) of each row, [m, 1], and the entropy of the distribution, its mean over rows.
    ///
    /// - Parameters:
    ///   - actions: [m, size of an action].
    ///   - outputs: of the network, [m, outputSize].
    func evaluate(_ actions: Tensor, under outputs: Tensor) -> (logProbability: Tensor, entropy: Tensor)

    /// Draws an action for each row: a pure function of the outputs, the key and the step.
    func sample(_ outputs: Span<Float>, key: NoiseKey, step: Int, into actions: inout MutableSpan<Float>)

    /// The most probable action of each row.
    func mode(_ outputs: Span<Float>, into actions: inout MutableSpan<Float>)

    /// The actions as ``evaluate(_:under:)`` takes them.
    func tensor(_ actions: [Float], count: Int) throws -> Tensor
}

/// One of n choices: π(a|s) = softmax(z)ₐ for the network's outputs z.
public struct Categorical: PolicyDistribution {
    /// n.
    public let outputSize: Int

    public init(choices: Int) { outputSize = choices }

    public func evaluate(
        _ actions: Tensor, under outputs: Tensor
    ) -> (logProbability: Tensor, entropy: Tensor) {
        let logs = outputs.logSoftmax()
        let entropy = (logs.exp() * logs).sum() * (-1 / Double(max(1, outputs.size(0))))
        return (logs.taken(at: actions, along: 1), entropy)
    }

    /// By the inverse of the cumulative distribution at one uniform variate a row.
    public func sample(
        _ outputs: Span<Float>, key: NoiseKey, step: Int, into actions: inout MutableSpan<Float>
    ) {
        let rows = actions.count
        for row in 0..<rows {
            let first = row * outputSize
            var largest = outputs[first]
            for i in 1..<max(1, outputSize) { largest = max(largest, outputs[first + i]) }
            var total: Float = 0
            for i in 0..<outputSize { total += exp(outputs[first + i] - largest) }
            let place = Float(key.uniform(UInt64(step) * UInt64(rows) + UInt64(row))) * total
            var (sum, choice): (Float, Int) = (0, 0)
            for i in 0..<outputSize {
                sum += exp(outputs[first + i] - largest)
                choice = i
                if place < sum { break }
            }
            actions[row] = Float(choice)
        }
    }

    public func mode(_ outputs: Span<Float>, into actions: inout MutableSpan<Float>) {
        for row in actions.indices {
            var best = 0
            for i in 1..<max(1, outputSize)
            where outputs[row * outputSize + i] > outputs[row * outputSize + best] {
                best = i
            }
            actions[row] = Float(best)
        }
    }

    public func tensor(_ actions: [Float], count: Int) throws -> Tensor {
        try Tensor(actions, shape: [count, 1]).converted(to: .int64)
    }
}

/// Independent normal variates: π(a|s) = ∏ N(aᵢ; μᵢ, σᵢ²), with the mean μ from the network and a σ that the observation does
/// not change.
public struct DiagonalGaussian: PolicyDistribution {
    public let outputSize: Int
    /// log σ, [1, size], which is learnt.
    public let logDeviation: Tensor

    public init(logDeviation: Tensor) {
        self.logDeviation = logDeviation
        outputSize = logDeviation.count
    }

    /// log π = −½·Σ((a − μ)/σ)² − Σ(log σ + ½·log 2π); the entropy is Σ(log σ + ½ + ½·log 2π).
    public func evaluate(
        _ actions: Tensor, under outputs: Tensor
    ) -> (logProbability: Tensor, entropy: Tensor) {
        let constant = 0.5 * Foundation.log(2 * Double.pi) * Double(outputSize)
        let logs = logDeviation.sum()
        let distance = (actions - outputs) * (-logDeviation).exp()
        let squares = distance.squared().sum(along: 1, keep: true)
        return (squares * -0.5 - (logs + constant), logs + (constant + 0.5 * Double(outputSize)))
    }

    public func sample(
        _ outputs: Span<Float>, key: NoiseKey, step: Int, into actions: inout MutableSpan<Float>
    ) {
        NoiseStream(key: key, step: step, parameter: 0, term: 0).fill(&actions, with: .normal)
        logDeviation.withUnsafeMutableBytes { bytes in
            let logs = bytes.assumingMemoryBound(to: Float.self)
            for i in actions.indices {
                actions[i] = outputs[i] + exp(logs[i % outputSize]) * actions[i]
            }
        }
    }

    public func mode(_ outputs: Span<Float>, into actions: inout MutableSpan<Float>) {
        for i in actions.indices { actions[i] = outputs[i] }
    }

    public func tensor(_ actions: [Float], count: Int) throws -> Tensor {
        try Tensor(actions, shape: [count, outputSize])
    }
}
