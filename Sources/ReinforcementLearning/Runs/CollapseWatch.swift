import Foundation

/// Watches whether a policy that was good has become bad: policy collapse.
///
/// With R the mean return of the last 100 episodes, R* its best so far and R₀ the first that was known, a policy has
/// collapsed where R < R* − ½·(R* − R₀), once R* − R₀ is more than the deviation that these means had at the beginning of the
/// run. Or its entropy, where the agent logs one that began above 0, is below 1% of its first while R < R* − ¼·(R* − R₀): it
/// does not explore any more, and is on its way down. It counts again once it has been back above.
public struct CollapseWatch: Codable, Sendable, Equatable {
    /// What was found.
    public struct Collapse: Codable, Sendable, Equatable {
        public enum Cause: String, Codable, Sendable {
            /// The return is far below its best.
            case lostReturn
            /// The entropy is near 0 and the return falls.
            case lostEntropy
        }
        public var step: Int
        public var cause: Cause
        /// R, and R* before it.
        public var meanReturn: Double
        public var best: Double
    }

    public private(set) var collapses: [Collapse] = []
    public private(set) var best: Double?
    private var first: Double?
    private var deviation = 0.0
    private var firstEntropy: Double?
    private var isDown = false

    package init() {}

    /// Takes note of a line of the log.
    /// - Parameter recent: the returns of the last episodes, of which there are as many as the window has.
    /// - Returns: the collapse that it shows, once.
    package mutating func note(step: Int, recent: [Double], entropy: Double?) -> Collapse? {
        if let entropy, firstEntropy == nil { firstEntropy = entropy }
        guard recent.count == AgentProgress.window else { return nil }
        let mean = recent.reduce(0, +) / Double(recent.count)
        guard let first, let best else {
            (first, best) = (mean, mean)
            let squares = recent.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            deviation = (squares / Double(recent.count)).squareRoot()
            return nil
        }
        let gained = best - first
        var cause: Collapse.Cause?
        if gained > max(deviation, 1e-9) {
            if mean < best - gained / 2 {
                cause = .lostReturn
            } else if let entropy, let firstEntropy, firstEntropy > 0, entropy < firstEntropy / 100,
                mean < best - gained / 4
            {
                cause = .lostEntropy
            }
        }
        self.best = max(best, mean)
        defer { isDown = cause != nil }
        guard let cause, !isDown else { return nil }
        let collapse = Collapse(step: step, cause: cause, meanReturn: mean, best: best)
        collapses.append(collapse)
        return collapse
    }
}
