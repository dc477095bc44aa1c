import Foundation
import PerturbedEquations

/// What paired differences between an arm and its baseline show.
public struct PairedComparison: Codable, Sendable, Equatable {
    /// In plain words.
    public enum Verdict: Codable, Sendable, Equatable {
        /// The arm is better than the baseline.
        case better
        /// The arm is worse than the baseline.
        case worse
        /// No difference was shown. `seeds`: how many would show a difference as large as the one seen with a probability
        /// of 80%; nil where that is more than 1,000.
        case noEffectShown(seeds: Int?)
        /// Not even differences of one sign could show an effect. `needed`: the fewest seeds that could.
        case tooFewSeeds(needed: Int)
        /// The arm has no number for `count` of its `total` seeds: those that are left are no fair sample of it.
        case lostSeeds(count: Int, total: Int)
        /// The arm has numbers for seeds that the baseline has none for, `count` of `total`: those that are left are no fair
        /// sample of the baseline.
        case baselineLostSeeds(count: Int, total: Int)
    }

    /// Seeds without a pair, by who has no number for them: a run that diverged, or failed.
    public struct LostSeeds: Sendable, Equatable {
        public var byArm: Int
        public var byBaseline: Int
        /// Those that neither has a number for: counted in neither of the others.
        public var byBoth: Int

        public init(byArm: Int = 0, byBaseline: Int = 0, byBoth: Int = 0) {
            self.byArm = byArm
            self.byBaseline = byBaseline
            self.byBoth = byBoth
        }

        /// The verdict that they force on `pairs` pairs, of which `needed` can show an effect; nil where they force none: what
        /// neither has leaves the pairs fair, if enough of them.
        func verdict(pairs: Int, needed: Int) -> Verdict? {
            let total = pairs + byArm + byBaseline + byBoth
            if byArm > 0 { return .lostSeeds(count: byArm + byBoth, total: total) }
            if byBaseline > 0 { return .baselineLostSeeds(count: byBaseline + byBoth, total: total) }
            return pairs < needed && needed <= total ? .lostSeeds(count: byBoth, total: total) : nil
        }
    }

    /// The number of pairs.
    public let count: Int
    /// The mean of the differences, in the metric's units; above 0 is better. nil without pairs.
    public let mean: Double?
    /// Their standard deviation; nil for fewer than two pairs.
    public let deviation: Double?
    /// The bootstrap interval of the mean; nil for fewer than two pairs.
    public let interval: Interval?
    /// The sign-flip test's and Wilcoxon's p-values, two-sided, of this comparison alone.
    public let signFlipPValue: Double
    public let wilcoxonPValue: Double
    /// The sign-flip test's p-value, corrected for all comparisons made at once (Holm).
    public let adjustedPValue: Double
    public let verdict: Verdict

    /// Compares every arm with the baseline.
    ///
    /// - Parameters:
    ///   - differences: for each arm, arm − baseline of each pair, turned so that above 0 is better.
    ///   - lost: for each arm, the seeds that gave no pair; none unless told. Where only one of the two lost a seed, the verdict
    ///     is that, whatever the pairs that are left show: a run that breaks is worse than any number.
    ///   - level: α in (0, 1): the probability that any arm is called better or worse where none is.
    ///   - resamples: of the bootstrap intervals.
    ///   - key: addresses the draws of bootstrap and test.
    public static func compare(
        _ differences: [[Double]], lost: [LostSeeds]? = nil, level: Double = 0.05, resamples: Int = 10_000,
        key: NoiseKey
    ) -> [PairedComparison] {
        precondition(lost.map { $0.count == differences.count } ?? true, "an arm's lost seeds are missing")
        let keys = differences.indices.map { key.derived(UInt64($0)) }
        let pValues = zip(differences, keys).map { SignFlipTest.pValue($0, key: $1.derived("signs")) }
        let adjusted = HolmCorrection.adjusted(pValues)
        return differences.indices.map { arm in
            PairedComparison(
                differences[arm], lost: lost?[arm] ?? LostSeeds(), pValue: pValues[arm],
                adjusted: adjusted[arm], arms: differences.count, level: level, resamples: resamples,
                key: keys[arm])
        }
    }

    private init(
        _ differences: [Double], lost: LostSeeds, pValue: Double, adjusted: Double, arms: Int,
        level: Double, resamples: Int, key: NoiseKey
    ) {
        count = differences.count
        let (mean, deviation) = (Sample.mean(differences), Sample.deviation(differences))
        self.mean = differences.isEmpty ? nil : mean
        self.deviation = differences.count > 1 ? deviation : nil
        interval = Bootstrap.interval(
            ofMean: differences, level: 1 - level, resamples: resamples, key: key.derived("bootstrap"))
        signFlipPValue = pValue
        wilcoxonPValue = WilcoxonTest.pValue(differences)
        adjustedPValue = adjusted
        let needed = Self.fewestSeeds(level: level, arms: arms)
        if let forced = lost.verdict(pairs: count, needed: needed) {
            verdict = forced
        } else if adjusted <= level {
            verdict = mean > 0 ? .better : .worse
        } else if count < needed {
            verdict = .tooFewSeeds(needed: needed)
        } else {
            verdict = .noEffectShown(
                seeds: Self.seedsToShow(
                    mean, deviation: deviation, level: level / Double(arms), atLeast: max(needed, count + 1)))
        }
    }

    /// The fewest pairs whose sign-flip test can be at most α/m: 2^(1−n) ≤ α/m.
    static func fewestSeeds(level: Double, arms: Int) -> Int {
        var count = 1
        while SignFlipTest.smallestPValue(count: count) > level / Double(arms), count < 64 { count += 1 }
        return count
    }

    /// About how many pairs show a difference of `mean` with a probability of 80%: n = ((z₁₋α⁄₂ + z₀.₈)·s/|d̄|)².
    static func seedsToShow(_ mean: Double, deviation: Double, level: Double, atLeast fewest: Int) -> Int? {
        guard mean != 0, deviation > 0 else { return nil }
        let z = Normal.quantile(1 - level / 2) + Normal.quantile(0.8)
        let count = (z * deviation / abs(mean)) * (z * deviation / abs(mean))
        return count <= 1000 ? max(fewest, Int(count.rounded(.up))) : nil
    }
}
