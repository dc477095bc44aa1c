/// What one step did.
public struct StepReport: Sendable, Hashable {
    public enum Outcome: String, Sendable, Codable {
        /// θ was updated.
        case applied
        /// The gradient, the perturbation or their sum was not finite: nothing was touched.
        case skippedNonFinite
        /// The loss had jumped: the last good state was restored.
        case rolledBack
    }

    /// The logical step this was.
    public var step: Int
    public var outcome: Outcome = .applied
    /// The loss that the objective gave; nil where the gradients were given without it.
    public var loss: Double?
    /// The passes that this step took.
    public var evaluations = EvaluationCounts(gradients: 1)
    /// η(t) of the equation's rule, times the controllers' factors.
    public var learningRate: Double
    /// What the controllers multiplied η by; 1 without any.
    public var learningRateFactor: Double = 1
    /// What the controllers and the cuts after rollbacks multiplied every noise strength by; 1 without any.
    public var strengthFactor: Double = 1
    /// The strength of the first noise term that has one, in gradient units; nil where there is none.
    public var sigma: Double?
    /// ‖g‖ over all parameters, after clipping; nil unless measured or needed.
    public var gradientNorm: Double?
    /// ‖δ‖ over all parameters, after bounding; nil unless measured or needed.
    public var perturbationNorm: Double?
    /// What global-norm clipping multiplied g by; 1 where it did not clip.
    public var clipScale: Double = 1
    /// Whether σ_max bounded the strength of some noise of δ.
    public var strengthIsBounded = false
    /// What the bound ‖δ‖ ≤ ρ‖g‖ multiplied δ by; 1 where it did not bind.
    public var boundScale: Double = 1
    /// The smallest factor that the variance bound multiplied a tensor's δ by; 1 where it did not bind.
    public var varianceScale: Double = 1
    /// The smallest factor that the trust region multiplied a tensor's step by; 1 where it did not bind.
    public var trustScale: Double = 1
    /// ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖ over all parameters: how much of the step is due to the perturbation, after
    /// bounds, rule and learning rate, before the trust region. nil unless measured with
    /// `PerturbedOptimizer.reportsEffectivePerturbation`.
    public var effectivePerturbation: Double?

    /// ‖δ‖/‖g‖; nil unless measured.
    public var perturbationToGradient: Double? {
        guard let gradientNorm, let perturbationNorm else { return nil }
        return gradientNorm == 0 ? (perturbationNorm == 0 ? 0 : .infinity) : perturbationNorm / gradientNorm
    }
}

/// What the stability controller did over a run.
public struct StabilityCounts: Sendable, Codable, Hashable {
    /// Steps taken, of any outcome.
    public var steps = 0
    /// Steps that were skipped because something was not finite.
    public var skipped = 0
    /// Those of them whose gradient was finite: δ, g + δ or the update was not.
    public var overflowed = 0
    /// Steps some element of whose gradient was clamped by value.
    public var clippedByValue = 0
    /// Steps whose gradient a norm clip scaled down.
    public var clipped = 0
    /// Steps in which the adaptive clip scaled some unit's gradient down.
    public var adaptivelyClipped = 0
    /// Steps in which σ_max bounded the strength of some noise of δ.
    public var strengthsBounded = 0
    /// Steps whose perturbation ‖δ‖ ≤ ρ‖g‖ scaled down.
    public var bounded = 0
    /// Steps in which the variance bound scaled some tensor's perturbation down.
    public var varianceBounded = 0
    /// Steps in which the trust region scaled some tensor's update down.
    public var trustLimited = 0
    /// Returns to the last good state.
    public var rolledBack = 0

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case steps, skipped, overflowed, clippedByValue, clipped, adaptivelyClipped, strengthsBounded, bounded
        case varianceBounded, trustLimited, rolledBack
    }

    /// Counts that a state was saved without are 0: what they count could not happen then, or was not counted.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        steps = try container.decode(Int.self, forKey: .steps)
        skipped = try container.decode(Int.self, forKey: .skipped)
        overflowed = try container.decode(.overflowed, default: 0)
        clippedByValue = try container.decode(.clippedByValue, default: 0)
        clipped = try container.decode(Int.self, forKey: .clipped)
        adaptivelyClipped = try container.decode(.adaptivelyClipped, default: 0)
        strengthsBounded = try container.decode(.strengthsBounded, default: 0)
        bounded = try container.decode(Int.self, forKey: .bounded)
        varianceBounded = try container.decode(.varianceBounded, default: 0)
        trustLimited = try container.decode(.trustLimited, default: 0)
        rolledBack = try container.decode(Int.self, forKey: .rolledBack)
    }
}

extension StabilityCounts {
    /// What two optimizers did in all.
    package static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.steps += b.steps
        sum.skipped += b.skipped
        sum.overflowed += b.overflowed
        sum.clippedByValue += b.clippedByValue
        sum.clipped += b.clipped
        sum.adaptivelyClipped += b.adaptivelyClipped
        sum.strengthsBounded += b.strengthsBounded
        sum.bounded += b.bounded
        sum.varianceBounded += b.varianceBounded
        sum.trustLimited += b.trustLimited
        sum.rolledBack += b.rolledBack
        return sum
    }
}
