import Torch
import TorchNN

/// A policy's network, which gives the numbers of a distribution, and with them what the distribution learns itself.
public struct Actor: Module {
    let network: Perceptron
    /// log σ of each element of an action; nil for a policy without.
    let logDeviation: Tensor?

    /// The weights are named as the network's own, and `logDeviation`.
    public var children: [NamedModule] { network.children }
    public var ownParameters: [NamedTensor] { logDeviation.map { [NamedTensor("logDeviation", $0)] } ?? [] }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { network.forward(x, context) }
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
