/// What one step did.
public struct StepReport: Sendable, Hashable {
    public enum Outcome: String, Sendable, Codable {
        /// θ was updated.
        case applied
        /// The gradient was not finite: nothing was touched.
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
    /// η(t) of the equation's rule.
    public var learningRate: Double
    /// The strength of the first noise term that has one, in gradient units; nil where there is none.
    public var sigma: Double?
    /// ‖g‖ over all parameters, after clipping; nil unless measured or needed.
    public var gradientNorm: Double?
    /// ‖δ‖ over all parameters, after bounding; nil unless measured.
    public var perturbationNorm: Double?
    /// What global-norm clipping multiplied g by; 1 where it did not clip.
    public var clipScale: Double = 1
    /// What the bound ‖δ‖ ≤ ρ‖g‖ multiplied δ by; 1 where it did not bind.
    public var boundScale: Double = 1

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
    /// Steps whose gradient was not finite.
    public var skipped = 0
    /// Steps whose gradient a norm clip scaled down.
    public var clipped = 0
    /// Steps whose perturbation ‖δ‖ ≤ ρ‖g‖ scaled down.
    public var bounded = 0
    /// Returns to the last good state.
    public var rolledBack = 0

    public init() {}
}
