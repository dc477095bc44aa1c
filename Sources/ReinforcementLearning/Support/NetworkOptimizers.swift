import PerturbedEquations
import PerturbedTorch
import Torch
import TorchNN

/// A module whose parameters' names begin with a network's, as groups name them.
struct NamedNetwork: Module {
    let name: String
    let module: any Module

    init(_ name: String, _ module: any Module) {
        self.name = name
        self.module = module
    }

    var children: [NamedModule] { [NamedModule(name, module)] }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        module.forward(x, context.entering(name))
    }
}

/// A network that is trained by itself, with the same equation as the others.
struct TrainedNetwork {
    /// The optimizer's name.
    let name: String
    /// Its parameters' names are those that groups name.
    let module: any Module
    /// The length of the run in updates of this network.
    let updates: Int

    /// An optimizer for each, in order; a group goes to all whose parameters it matches.
    ///
    /// - Throws: `ConfigurationError`, as `ModelOptimizer`, and for a group that matches no parameter of any.
    static func optimizers(
        of networks: [TrainedNetwork], _ setup: LearnerSetup
    ) throws -> [ModelOptimizer] {
        let names = networks.flatMap { $0.module.parameters.map(\.name) }
        for (index, group) in setup.groups.enumerated() {
            try within("groups.\(index)") {
                try require(
                    names.contains { group.matches($0) }, "parameters", is: group.parameters,
                    allowed: "patterns that match at least one of: " + names.joined(separator: ", "))
            }
        }
        return try networks.map { network in
            let own = network.module.parameters.map(\.name)
            let places = setup.groups.indices.filter { place in
                own.contains { setup.groups[place].matches($0) }
            }
            do {
                return try ModelOptimizer(
                    network.module, equation: setup.equation, groups: places.map { setup.groups[$0] },
                    seed: derivedSeed(setup.seed, network.name), horizon: max(1, network.updates))
            } catch var error as ConfigurationError {
                // The optimizer counts the groups that it was given.
                for (given, place) in places.enumerated().reversed()
                where error.path == "groups.\(given)" || error.path.hasPrefix("groups.\(given).") {
                    error.path = "groups.\(place)" + error.path.dropFirst("groups.\(given)".count)
                    break
                }
                throw error
            }
        }
    }
}

extension ModelOptimizer {
    /// One perturbed step on a loss, which is evaluated as often and where the equation wants it.
    ///
    /// - Parameter loss: the loss at the parameters as they are, of the same batch and noise each time; with what else of it
    ///   is to be known.
    /// - Returns: what the optimizer says of the step, and what `loss` gave at its first evaluation.
    @discardableResult
    func step<Seen>(
        on loss: () throws -> (loss: Tensor, seen: Seen)
    ) throws -> (report: StepReport, loss: Double, seen: Seen) {
        var first: (loss: Double, seen: Seen)?
        let report = try step { evaluation in
            if evaluation.needsGradient { signals?.begin(estimating: evaluation.isFirst) }
            let (value, seen) = try signals.map { try $0.recording(loss) } ?? loss()
            let number = value.item()
            try Libtorch.checkHeldFailure()
            if first == nil { first = (number, seen) }
            guard evaluation.needsGradient else { return number }
            try signals?.observe(value, share: 1)
            try value.backward()
            if signals?.takesGradients == true { try signals?.takeGradients(share: 1) }
            return number
        }
        guard let first else { preconditionFailure("a step evaluates its objective") }
        return (report, first.loss, first.seen)
    }
}

extension Module {
    /// θ ← θ + τ(source − θ) for each parameter.
    func follow(_ source: any Module, by rate: Double) {
        withoutGradients {
            for (own, other) in zip(parameters, source.parameters) {
                own.tensor.moveInPlace(towards: other.tensor, by: rate)
            }
        }
    }
}
