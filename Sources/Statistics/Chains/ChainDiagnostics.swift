/// What a set of chains says of one number, and how far it can be trusted.
public struct ChainDiagnostics: Codable, Sendable, Equatable {
    /// R̂ above which chains disagree.
    public static let largestRHat = 1.01
    /// Effective draws of each chain below which R̂ and intervals are too noisy to trust.
    public static let leastEffectiveSize = 100.0

    /// Over all draws: mean, standard deviation, and the 5% and 95% quantiles.
    public var mean: Double
    public var deviation: Double
    public var lower: Double
    public var upper: Double
    /// The Monte Carlo standard error of the mean.
    public var meanError: Double
    /// See ``Chains``; NaN where draws are not finite or never change.
    public var splitRHat: Double
    public var bulkEffectiveSize: Double
    public var tailEffectiveSize: Double
    private var chains: Int

    public init(_ chains: Chains) {
        self.init(summaryOf: chains)
        meanError = chains.meanError
        splitRHat = chains.splitRHat
        bulkEffectiveSize = chains.bulkEffectiveSize
        tailEffectiveSize = chains.tailEffectiveSize
    }

    /// Mean, deviation and quantiles alone, for draws that are no Markov chains': R̂, effective sizes and the mean's error are NaN.
    public init(summaryOf chains: Chains) {
        let sorted = chains.pooled.sorted()
        mean = Sample.mean(sorted)
        deviation = Sample.deviation(sorted)
        lower = Sample.quantile(0.05, ofSorted: sorted)
        upper = Sample.quantile(0.95, ofSorted: sorted)
        (meanError, splitRHat, bulkEffectiveSize, tailEffectiveSize) = (.nan, .nan, .nan, .nan)
        self.chains = chains.count
    }

    /// Why the numbers are not to be trusted; nil where nothing speaks against it.
    public var warning: String? {
        func shown(_ value: Double) -> String { String(Int(value.rounded())) }
        guard splitRHat.isFinite else { return "the draws are too few, not finite, or all the same" }
        let rounded = (splitRHat * 1000).rounded(.up) / 1000
        guard splitRHat <= Self.largestRHat else {
            return "the chains disagree: R̂ is \(rounded) (\(Self.largestRHat) at most)"
        }
        let least = min(bulkEffectiveSize, tailEffectiveSize)
        let wanted = Self.leastEffectiveSize * Double(chains)
        guard least >= wanted else {
            return "\(shown(least)) effective draws (\(shown(wanted)) at least, "
                + "\(shown(Self.leastEffectiveSize)) for each chain)"
        }
        return nil
    }
}
