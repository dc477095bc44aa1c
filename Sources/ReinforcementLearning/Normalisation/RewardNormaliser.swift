/// Rewards in units of the deviation of the discounted return: r ← clip(r/√(Var(G) + 10⁻⁸), −10, 10).
///
/// For each copy G ← γ·G·(1 − over) + r, and Var runs over all copies and steps so far. As Gymnasium's `NormalizeReward`, and
/// CleanRL's clipping after it.
public struct RewardNormaliser: Sendable, Codable, Hashable {
    /// γ.
    public let discount: Double
    public private(set) var moments = RunningMoments(size: 1)
    /// G of each copy.
    private var returns: [Float]

    /// Where values end.
    public static let limit = 10.0

    public init(discount: Double, copies: Int) {
        self.discount = discount
        returns = [Float](repeating: 0, count: copies)
    }

    /// Takes in the rewards of a step and normalises them in place.
    ///
    /// - Precondition: the arrays have a place for each copy.
    public mutating func normalise(_ rewards: inout MutableSpan<Float>, terminated: Span<Bool>) {
        let count = returns.count
        precondition(
            rewards.count == count && terminated.count == count, "one reward for each of \(count) copies")
        for copy in 0..<count {
            let before = terminated[copy] ? 0 : Double(returns[copy]) * discount
            returns[copy] = Float(before + Double(rewards[copy]))
        }
        let current = returns
        moments.add(current.span)
        let factor = 1 / (moments.variance[0] + 1e-8).squareRoot()
        for copy in 0..<count {
            rewards[copy] = Float(min(max(Double(rewards[copy]) * factor, -Self.limit), Self.limit))
        }
    }
}
