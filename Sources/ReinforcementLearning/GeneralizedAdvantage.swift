/// Generalised advantage estimation.
///
/// For each copy, from the last step back, with γ the discount and λ between one step (0) and the whole return (1):
///
/// ```
/// δₜ = rₜ + γ·V(sₜ₊₁) − V(sₜ)       V(sₜ₊₁) = 0 where the task was over, and V(final observation) where it was cut short
/// Aₜ = δₜ + γλ·Aₜ₊₁                 Aₜ₊₁ = 0 where the episode ended
/// ```
///
/// A truncated episode is bootstrapped, so that a time limit does not look like a failure. With `finalValues` of 0 both
/// ends count as failures, as in CleanRL's PPO.
///
/// Source: Schulman et al. 2016, High-Dimensional Continuous Control Using Generalized Advantage Estimation; Pardo et al. 2018,
/// Time Limits in Reinforcement Learning.
public struct GeneralizedAdvantage: Sendable, Hashable {
    /// γ, 0 … 1.
    public var discount: Float
    /// λ, 0 … 1.
    public var lambda: Float

    public init(discount: Float = 0.99, lambda: Float = 0.95) {
        self.discount = discount
        self.lambda = lambda
    }

    /// Writes A for T steps of n copies; all arrays are row by row, a row for each step.
    ///
    /// - Parameters:
    ///   - rewards: r, T×n.
    ///   - values: V(sₜ), (T + 1)×n; the last row is of the observations after the last step.
    ///   - finalValues: V of the observations that episodes ended with, T×n; read where an episode was truncated only.
    ///   - terminated: T×n.
    ///   - truncated: T×n; where both are true, the task was over.
    ///   - copies: n.
    ///   - advantages: A, T×n. A + V is what the value function is to learn.
    /// - Precondition: the arrays have these sizes.
    /// - Complexity: O(T·n); allocates nothing.
    public func estimate(
        rewards: Span<Float>, values: Span<Float>, finalValues: Span<Float>, terminated: Span<Bool>,
        truncated: Span<Bool>, copies: Int, into advantages: inout MutableSpan<Float>
    ) {
        let count = rewards.count
        precondition(
            copies >= 1 && count % copies == 0 && values.count == count + copies
                && finalValues.count == count && terminated.count == count && truncated.count == count
                && advantages.count == count,
            "advantages of \(copies) copies: \(count) rewards, \(values.count) values, \(finalValues.count) final "
                + "values, \(terminated.count) and \(truncated.count) ends, \(advantages.count) advantages")
        for i in (0..<count).reversed() {
            let ended = terminated[i] || truncated[i]
            let next = terminated[i] ? 0 : truncated[i] ? finalValues[i] : values[i + copies]
            let isLast = i + copies >= count
            let later = ended || isLast ? 0 : advantages[i + copies]
            advantages[i] = rewards[i] + discount * next - values[i] + discount * lambda * later
        }
    }
}
