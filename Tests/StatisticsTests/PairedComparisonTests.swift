import Foundation
import PerturbedEquations
import Statistics
import Testing

/// Verdicts: known answers, and how often they are wrong.
@Suite struct PairedComparisonTests {
    private static let key = NoiseKey(seed: 7)

    /// A standard normal number at an address.
    private static func normal(_ key: NoiseKey, _ index: Int) -> Double {
        Normal.quantile(
            (Double(key.word(UInt64(index)) >> 11) + 0.5)
                / Double(sign: .plus, exponent: 53, significand: 1))
    }

    private static func differences(_ key: NoiseKey, _ count: Int, shift: Double = 0) -> [Double] {
        (0..<count).map { normal(key, $0) + shift }
    }

    @Test func clearDifferencesAreCalled() {
        let arms = [
            Self.differences(Self.key.derived(1), 8, shift: 10),
            Self.differences(Self.key.derived(2), 8, shift: -10),
        ]
        let found = PairedComparison.compare(arms, key: Self.key)
        #expect(found[0].verdict == .better && found[1].verdict == .worse)
        #expect(found[0].signFlipPValue == 2.0 / 256 && found[0].adjustedPValue == 4.0 / 256)
        #expect((found[0].mean ?? 0) > 9 && (found[0].interval?.lower ?? 0) > 8)
    }

    /// 2^(1−n) ≤ α/m: with one arm six seeds are the fewest, with four arms eight.
    @Test func tooFewSeedsAreSaid() {
        let five = [[1.0, 1, 1, 1, 1]]
        #expect(PairedComparison.compare(five, key: Self.key)[0].verdict == .tooFewSeeds(needed: 6))
        let arms = Array(repeating: [1.0, 2, 3, 4, 5, 6, 7], count: 4)
        #expect(
            PairedComparison.compare(arms, key: Self.key).allSatisfy { $0.verdict == .tooFewSeeds(needed: 8) }
        )
        let eight = Array(repeating: [1.0, 2, 3, 4, 5, 6, 7, 8], count: 4)
        #expect(PairedComparison.compare(eight, key: Self.key).allSatisfy { $0.verdict == .better })
        #expect(PairedComparison.compare([[]], key: Self.key)[0].verdict == .tooFewSeeds(needed: 6))
    }

    /// A run that breaks is worse than any number: no verdict rests on the seeds that are left, whoever lost the others.
    @Test func lostSeedsAreNoBasis() throws {
        let clear = [Double](repeating: 1, count: 8).enumerated().map { $1 + Double($0) / 10 }
        func verdict(
            _ differences: [Double], _ lost: PairedComparison.LostSeeds
        ) -> PairedComparison.Verdict {
            PairedComparison.compare([differences], lost: [lost], key: Self.key)[0].verdict
        }
        #expect(verdict(clear, .init()) == .better)
        #expect(verdict(clear, .init(byArm: 2)) == .lostSeeds(count: 2, total: 10))
        #expect(verdict(clear, .init(byArm: 1, byBoth: 1)) == .lostSeeds(count: 2, total: 10))
        #expect(
            verdict(clear.map { -$0 }, .init(byBaseline: 2)) == .baselineLostSeeds(count: 2, total: 10))
        #expect(verdict([], .init(byArm: 10)) == .lostSeeds(count: 10, total: 10))
        #expect(verdict([], .init(byBaseline: 3, byBoth: 7)) == .baselineLostSeeds(count: 10, total: 10))
        // What neither has is no difference between them, if enough is left.
        #expect(verdict(clear, .init(byBoth: 2)) == .better)
        #expect(verdict([1, 2], .init(byBoth: 8)) == .lostSeeds(count: 8, total: 10))
        #expect(verdict([1, 2], .init(byBoth: 1)) == .tooFewSeeds(needed: 6))
    }

    /// The last of Holm's steps asks less of an arm than the first: what is shown is said, whatever its count.
    @Test func fewSeedsMayBeEnoughBesideOthers() {
        let long = (1...10).map { Double($0) }
        let found = PairedComparison.compare([long, long, long, [1, 2, 3, 4, 5, 6, 7]], key: Self.key)
        #expect(found[3].adjustedPValue <= 0.05 && found[3].verdict == .better, "\(found[3])")
    }

    /// What has no pairs has no mean: JSON has no number that is none.
    @Test func noPairsHaveNoMean() throws {
        let found = PairedComparison.compare([[], [1]], key: Self.key)
        #expect(found[0].mean == nil && found[0].deviation == nil && found[1].mean == 1)
        #expect(found[1].deviation == nil)
        #expect(
            try JSONDecoder().decode(PairedComparison.self, from: JSONEncoder().encode(found[0])) == found[0])
    }

    @Test func equalArmsShowNoEffect() {
        let found = PairedComparison.compare([[Double](repeating: 0, count: 10)], key: Self.key)[0]
        #expect(found.verdict == .noEffectShown(seeds: nil))
        #expect(found.signFlipPValue == 1 && found.wilcoxonPValue == 1)
        #expect(found.interval == Interval(lower: 0, upper: 0, level: 0.95))
    }

    /// The number of seeds that is said shows such a difference in about 80% of new comparisons.
    @Test func theSeedsThatAreSaidDo() throws {
        let values = [0.9, -0.5, 1.6, -0.9, 0.8, 1.2, -0.6, 0.5, 1.4, -0.4]
        let found = PairedComparison.compare([values], key: Self.key)[0]
        guard case .noEffectShown(let seeds?) = found.verdict else {
            Issue.record("\(found.verdict)")
            return
        }
        let (mean, deviation) = (try #require(found.mean), try #require(found.deviation))
        let trials = 400
        let shown = (0..<trials).count { trial in
            let again = Self.differences(Self.key.derived("again").derived(UInt64(trial)), seeds)
                .map { $0 * deviation + mean }
            return SignFlipTest.pValue(again, key: Self.key) <= 0.05
        }
        #expect((0.7...0.9).contains(Double(shown) / Double(trials)), "\(shown) of \(trials), \(seeds) seeds")
    }

    /// Where no arm differs, the chance that any is called better or worse is at most α; 1,000 comparisons of three arms
    /// that share their baseline, with normal and with heavy-tailed differences.
    @Test(arguments: [false, true])
    func verdictsAreWrongAsRarelyAsStated(heavyTails: Bool) {
        let trials = 1000
        var (better, any) = (0, 0)
        for trial in 0..<trials {
            let key = NoiseKey(seed: heavyTails ? 2 : 1).derived(UInt64(trial))
            func draw(_ arm: Int) -> [Double] {
                Self.differences(key.derived(UInt64(arm)), 10).map { heavyTails ? $0 * $0 * $0 : $0 }
            }
            let baseline = draw(0)
            let arms = (1...3).map { arm in zip(draw(arm), baseline).map { $0 - $1 } }
            let verdicts = PairedComparison.compare(arms, resamples: 10, key: key).map(\.verdict)
            if verdicts.contains(.better) { better += 1 }
            if verdicts.contains(.better) || verdicts.contains(.worse) { any += 1 }
        }
        // 50 expected at most; four standard errors are 28.
        #expect(any <= 78, "\(any) of \(trials) wrong")
        #expect(better <= 50, "\(better) of \(trials) wrongly better")
        #expect(any >= 5, "the verdict never speaks: \(any) of \(trials)")
    }

    /// Beyond 20 differences the signs are drawn: close to the normal approximation, and the same again.
    @Test func manySignsAreDrawn() {
        let values = Self.differences(Self.key.derived(9), 60, shift: 0.25)
        let p = SignFlipTest.pValue(values, key: Self.key)
        #expect(p == SignFlipTest.pValue(values, key: Self.key))
        let sum = values.reduce(0, +)
        let squares = values.reduce(0) { $0 + $1 * $1 }
        let approximation = 2 * Normal.cumulative(-abs(sum) / squares.squareRoot())
        #expect(abs(p - approximation) < 0.01, "\(p) against \(approximation)")
    }

    @Test func holmIsAsPublished() {
        let adjusted = HolmCorrection.adjusted([0.01, 0.04, 0.03, 0.005])
        for (found, wanted) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) {
            #expect(abs(found - wanted) < 1e-15)
        }
        #expect(HolmCorrection.adjusted([]).isEmpty)
        #expect(HolmCorrection.adjusted([0.9, 0.8]) == [1, 1])
    }
}
