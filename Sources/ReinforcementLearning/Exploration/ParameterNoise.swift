import PerturbedEquations
import Safetensors
import Torch
import TorchNN

/// The agent acts by a copy of its network whose weights are noisy, by as much as changes the actions as wanted.
///
/// ```
/// θ̃ = θ + σξ, ξ ~ N(0, 1) per element, drawn anew in each episode of the first copy
/// every n steps, with a draw of its own on a batch of the replay memory:   σ ← ασ if d ≤ δ(t), else σ/α
/// ```
///
/// d is √mean (a − ã)² over the batch and the elements of actions scaled to −1 … 1, of the policies without their own noise;
/// for values of discrete actions the mean of KL(softmax Q ‖ softmax Q̃), in nats. θ̃ stays as it is while θ learns. The paper
/// adds layer normalisation to the networks; here they stay as they are. `parameterSpaceNoise` is the same for the *update*.
///
/// Source: Plappert et al. 2018, Parameter Space Noise for Exploration; times and α as in OpenAI Baselines.
public struct ParameterNoise: Exploration {
    /// σ at the beginning, in units of θ; > 0, default 0.05.
    public var sigma: Double
    /// δ, ≥ 0, over the steps of a copy, default 0.2.
    public var target: Scheduled
    /// α, ≥ 1, default 1.01.
    public var factor: Double
    /// n, steps of a copy, ≥ 1, default 50.
    public var every: Int

    public init(sigma: Double = 0.05, target: Scheduled = 0.2, factor: Double = 1.01, every: Int = 50) {
        self.sigma = sigma
        self.target = target
        self.factor = factor
        self.every = every
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = ParameterNoise()
        self.init(
            sigma: try container.decode(.sigma, default: d.sigma),
            target: try container.decode(.target, default: d.target),
            factor: try container.decode(.factor, default: d.factor),
            every: try container.decode(.every, default: d.every))
    }

    public func validate() throws {
        try require(sigma > 0 && sigma.isFinite, "sigma", is: sigma, allowed: "a finite number above 0")
        try target.require("target", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite number ≥ 0")
        try require(factor >= 1 && factor.isFinite, "factor", is: factor, allowed: "a finite number ≥ 1")
        try require(every >= 1, "every", is: every, allowed: "a whole number ≥ 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "parameterNoise",
        summary: "Acting by noisy weights, by as much as changes the actions as wanted.",
        equation: "θ̃ = θ + σξ, ξ ~ N(0, 1), for an episode; σ ← ασ if d ≤ δ(t), else σ/α",
        parameters: [
            .init(
                "sigma", "number", default: "0.05", allowed: "> 0", unit: "θ, a standard deviation",
                "σ at the beginning"),
            .init(
                "target", "schedule", default: "0.2", allowed: "≥ 0",
                unit: "half the action's range (continuous), nats (discrete)",
                "δ, the distance that is wanted"),
            .init("factor", "number", default: "1.01", allowed: "≥ 1", "α, the factor of one adaptation"),
            .init(
                "every", "integer", default: "50", allowed: "≥ 1", unit: "steps",
                "steps of a copy between adaptations"),
        ],
        source: "Plappert et al. 2018, Parameter Space Noise for Exploration")
}

/// The noisy copy of a network that an agent acts by, and its σ.
public final class NoisyCopy {
    private let settings: ParameterNoise
    private let source: any Module
    /// θ̃.
    public let network: any Module
    /// Takes the draws whose distance is measured.
    private let probe: any Module
    private let key: NoiseKey
    /// σ as it stands.
    public internal(set) var sigma: Double
    /// How often θ̃ was drawn.
    public internal(set) var draws = 0
    /// d of the last adaptation; nil before it.
    public private(set) var distance: Double?

    /// - Parameter make: gives a network like the source; its weights do not matter.
    public init(
        _ settings: ParameterNoise, of source: any Module, key: NoiseKey, make: () throws -> any Module
    ) rethrows {
        self.settings = settings
        self.source = source
        self.key = key
        network = try make()
        probe = try make()
        sigma = settings.sigma
    }

    /// Draws θ̃ anew.
    public func draw() {
        perturb(network, key.derived("acting"), draws)
        draws += 1
    }

    /// Whether σ is to be adapted at that step of the copies.
    public func isDue(at step: Int) -> Bool { step % settings.every == 0 }

    /// Adapts σ by how far a draw of its own is from the network without noise.
    public func adapt(at step: Int, distance measure: (any Module, any Module) -> Double) {
        perturb(probe, key.derived("adapting"), step)
        let distance = withoutGradients { measure(source, probe) }
        self.distance = distance
        // A distance that is not a number is too far.
        let adapted =
            distance <= settings.target.value(at: step) ? sigma * settings.factor : sigma / settings.factor
        if adapted.isNormal { sigma = adapted }
    }

    private func perturb(_ target: any Module, _ key: NoiseKey, _ step: Int) {
        for (parameter, (from, to)) in zip(source.parameters, target.parameters).enumerated() {
            to.tensor.copy(from: from.tensor)
            to.tensor.withUnsafeMutableBytes { bytes in
                var span = bytes.bindMemory(to: Float.self).mutableSpan
                NoiseStream(key: key, step: step, parameter: parameter, term: 0)
                    .add(.normal, scale: sigma, to: &span)
            }
        }
    }
}

// MARK: State

extension NoisyCopy {
    /// σ and the number of draws as an agent saves them; the weights are among its networks.
    struct Saved {
        let sigma: Double
        let draws: Int

        /// - Throws: `LearnerStateError` where they are missing or make no sense.
        init(_ metadata: [String: String], from file: SafetensorsFile, of algorithm: String) throws {
            let sigma = try LearnerState.value(
                [Double].self, metadata["parameterNoise"], of: algorithm, in: file)
            draws = try LearnerState.value(
                Int.self, metadata["parameterNoise.draws"], of: algorithm, in: file)
            guard sigma.count == 1, sigma[0] > 0, sigma[0].isFinite, draws >= 0 else {
                throw LearnerStateError(
                    "\(file.name): the state of \(algorithm) has no σ of its parameter noise")
            }
            self.sigma = sigma[0]
        }
    }

    func save(in state: inout LearnerState) throws {
        state.metadata["parameterNoise"] = try LearnerState.text([sigma])
        state.metadata["parameterNoise.draws"] = "\(draws)"
    }

    func restore(_ saved: Saved) {
        sigma = saved.sigma
        draws = saved.draws
    }
}
