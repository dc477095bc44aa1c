import Torch
import TorchNN

/// A policy's network, which gives the numbers of a distribution, and with them what the distribution learns itself.
public struct Actor: Module {
    let network: Perceptron
    /// log σ of each element of an action; nil for a policy without.
    var logDeviation: Tensor?
    /// gSDE's noise, which sees what the network's last layer sees; nil for a policy without.
    var exploration: StateDependentNoise?

    /// The weights are named as the network's own, `logDeviation` and `exploration.log_std`.
    public var children: [NamedModule] {
        network.children + (exploration.map { [NamedModule("exploration", $0)] } ?? [])
    }
    public var ownParameters: [NamedTensor] { logDeviation.map { [NamedTensor("logDeviation", $0)] } ?? [] }

    /// The numbers of the distribution: those of the network and, for gSDE, after them what its last layer sees.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        guard exploration != nil else { return network.forward(x, context) }
        let features = network.features(x, context)
        return .concatenated([network.head(features, context), features.detached()], along: 1)
    }
}

/// An actor and a critic with no weight in common, for one optimizer over both.
public struct ActorCritic: Module {
    public let actor: Actor
    public let critic: Perceptron

    public var children: [NamedModule] { [NamedModule("actor", actor), NamedModule("critic", critic)] }

    /// The numbers of the policy's distribution; the critic is called by itself.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        actor.forward(x, context.entering("actor"))
    }
}
