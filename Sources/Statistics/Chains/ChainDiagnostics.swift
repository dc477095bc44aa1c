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
    /// The Monte Carlo standard error of the mean; it, R̂ and effective sizes are NaN where they cannot be told, and such a number is
    /// left out of files.
    public var meanError: Double
    /// See ``Chains``; NaN where draws are not finite or never change; ∞ where each chain stands still, not all at one value.
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
        if splitRHat == .infinity { return "the chains disagree, and each stands still: R̂ is infinite" }
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

extension ChainDiagnostics {
    private enum CodingKeys: String, CodingKey {
        case mean, deviation, lower, upper, meanError, splitRHat, bulkEffectiveSize, tailEffectiveSize, chains
    }

    /// A key that is missing is NaN.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func known(_ key: CodingKeys) throws -> Double {
            try container.decodeIfPresent(Double.self, forKey: key) ?? .nan
        }
        mean = try container.decode(Double.self, forKey: .mean)
        deviation = try container.decode(Double.self, forKey: .deviation)
        lower = try container.decode(Double.self, forKey: .lower)
        upper = try container.decode(Double.self, forKey: .upper)
        meanError = try known(.meanError)
        splitRHat = try known(.splitRHat)
        bulkEffectiveSize = try known(.bulkEffectiveSize)
        tailEffectiveSize = try known(.tailEffectiveSize)
        chains = try container.decode(Int.self, forKey: .chains)
    }

    /// R̂, effective sizes and the mean's error have no key where they are NaN.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        for (key, value) in [
            (CodingKeys.mean, mean), (.deviation, deviation), (.lower, lower), (.upper, upper),
        ] { try container.encode(value, forKey: key) }
        for (key, value) in [
            (CodingKeys.meanError, meanError), (.splitRHat, splitRHat),
            (.bulkEffectiveSize, bulkEffectiveSize),
            (.tailEffectiveSize, tailEffectiveSize),
        ] where !value.isNaN { try container.encode(value, forKey: key) }
        try container.encode(chains, forKey: .chains)
    }
}
