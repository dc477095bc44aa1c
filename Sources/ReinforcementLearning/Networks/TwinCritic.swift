import Torch
import TorchNN

/// Two values of the same state and action, Q₁ and Q₂, by networks with no weight in common: the smaller one does not
/// overestimate.
///
/// Names: `critic1.0.weight`, …, `critic2.0.weight`, ….
///
/// Source: Fujimoto, van Hoof and Meger 2018, Addressing Function Approximation Error in Actor-Critic Methods.
public struct TwinCritic: Module {
    public let first: Perceptron
    public let second: Perceptron
    /// All weights, collected once: they are asked for in every update.
    let weights: [Tensor]

    /// - Parameter inputs: numbers of an observation and an action.
    /// - Throws: `TorchError` where there is no memory.
    public init(inputs: Int, hidden: [Int], activation: Activation, seed: UInt64) throws {
        func critic(_ name: String) throws -> Perceptron {
            try Perceptron([inputs] + hidden + [1], activation: activation, seed: derivedSeed(seed, name))
        }
        first = try critic("critic1")
        second = try critic("critic2")
        weights = (first.parameters + second.parameters).map(\.tensor)
    }

    public var children: [NamedModule] { [NamedModule("critic1", first), NamedModule("critic2", second)] }

    /// Q₁ and Q₂, each [n, 1], for observations and actions side by side [n, inputs].
    public func values(_ x: Tensor) -> (Tensor, Tensor) {
        (first.forward(x, .evaluation), second.forward(x, .evaluation))
    }

    /// min(Q₁, Q₂), [n, 1].
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let (first, second) = values(x)
        return first.minimum(second)
    }

    /// Runs `body` without gradients of the weights, and with those of the actions that they are applied to.
    func frozen<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        for weight in weights { weight.requiringGradient(false) }
        defer { for weight in weights { weight.requiringGradient() } }
        return try body()
    }

    /// Q̄ ← Q̄ + τ(Q − Q̄) of every weight.
    func follow(_ critic: TwinCritic, by rate: Double) {
        withoutGradients {
            for (own, other) in zip(weights, critic.weights) { own.moveInPlace(towards: other, by: rate) }
        }
    }
}
