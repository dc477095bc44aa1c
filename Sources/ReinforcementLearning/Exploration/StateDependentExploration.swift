import PerturbedEquations
import Torch

/// gSDE: noise that is a function of the state, the same in the same state for some steps.
///
/// In ``SAC`` the policy's noise is a ``StateDependentNoise`` whose matrix Θ is held for `every` steps, one for each copy; the batch that
/// the policy learns from gets a matrix of its own. In ``PPO`` it is a ``StateDependentGaussian``, whose matrices are also drawn
/// anew with each rollout. The deviations are learnt with the policy.
///
/// Source: Raffin, Kober and Stulp 2021, Smooth Exploration for Robotic Reinforcement Learning.
public struct StateDependentExploration: Exploration {
    /// For how many steps a matrix is held, ≥ 1, default 64.
    public var every: Int
    /// Each log σ at the beginning, −20 … 2, default −3.
    public var logDeviation: Double

    public init(every: Int = 64, logDeviation: Double = -3) {
        self.every = every
        self.logDeviation = logDeviation
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = StateDependentExploration()
        self.init(
            every: try container.decode(.every, default: d.every),
            logDeviation: try container.decode(.logDeviation, default: d.logDeviation))
    }

    public func validate() throws {
        try require(every >= 1, "every", is: every, allowed: "a whole number ≥ 1")
        try require((-20...2).contains(logDeviation), "logDeviation", is: logDeviation, allowed: "-20 to 2")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gSDE", summary: "Noise that is a function of the state, held for some steps.",
        equation: "a = μ(s) + φ(s)·Θ (in sac its tanh), Θ ~ N(0, σ²) per element, held; σ learnt",
        parameters: [
            .init("every", "integer", default: "64", allowed: "≥ 1", unit: "steps", "how long Θ is held"),
            .init("logDeviation", "number", default: "-3", allowed: "-20 … 2", "log σ at the beginning"),
        ],
        source: "Raffin et al. 2021, Smooth Exploration for Robotic Reinforcement Learning")
}

/// The matrices Θ that copies act with, one for each, and when they are drawn anew.
public final class HeldNoise {
    private let exploration: StateDependentExploration
    private let key: NoiseKey
    private let copies: Int
    /// Θ [copies, features, actions]; nil before the first step.
    public private(set) var matrix: Tensor?

    public init(_ exploration: StateDependentExploration, copies: Int, key: NoiseKey) {
        self.exploration = exploration
        self.copies = copies
        self.key = key
    }

    /// Θ for that step of the copies: drawn anew with the present deviations where its time has come.
    public func matrix(at step: Int, of noise: StateDependentNoise) throws -> Tensor {
        if let matrix, step % exploration.every != 0 { return matrix }
        let variates = try key.normals([copies] + noise.logDeviation.shape, step: step)
        let new = withoutGradients { noise.matrix(variates) }
        matrix = new
        return new
    }

    /// Puts back a matrix that was saved.
    func restore(_ saved: Tensor?) { matrix = saved }
}
