/// What an objective is asked for: one call of it within one logical step.
///
/// All calls of a step are about the same logical batch: the same examples, dropout masks and other
/// randomness, so that what differs between them is θ alone. Only the first may teach a model's buffers
/// (the running statistics of batch normalisation).
public struct ObjectiveEvaluation: Sendable, Hashable {
    /// The logical step.
    public let step: Int
    /// 0 for the step's first evaluation, then 1, 2…
    public let number: Int
    /// Whether the gradients are wanted; false: the loss alone (a forward pass without a backward pass).
    public let needsGradient: Bool

    public var isFirst: Bool { number == 0 }

    public init(step: Int, number: Int, needsGradient: Bool) {
        self.step = step
        self.number = number
        self.needsGradient = needsGradient
    }
}

/// How often an objective was called: what a comparison at equal compute counts.
public struct EvaluationCounts: Sendable, Codable, Hashable {
    /// Forward and backward passes.
    public var gradients: Int
    /// Forward passes alone.
    public var losses: Int

    public init(gradients: Int = 0, losses: Int = 0) {
        self.gradients = gradients
        self.losses = losses
    }

    static func += (a: inout EvaluationCounts, b: EvaluationCounts) {
        a.gradients += b.gradients
        a.losses += b.losses
    }
}
