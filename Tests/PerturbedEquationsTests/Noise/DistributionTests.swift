import Foundation
import PerturbedEquations
import Testing

/// Each distribution has the shape, and above all the scale, that it says.
///
/// Fixed seeds. A right generator fails a check of 5 standard errors once in 1.7 million seeds.
@Suite struct DistributionTests {
    static let count = 1 << 22

    static func stream(_ seed: UInt64) -> NoiseStream {
        NoiseStream(key: NoiseKey(seed: seed), step: 3, parameter: 1, term: 2)
    }

    /// E[x], E[x²], E[x³], E[x⁴]. At 4M values a variance that is 1% off fails by 14 standard errors; σ² or
    /// √2·σ for σ fails by hundreds.
    @Test(arguments: NoiseDistribution.allCases, [1.0, 0.3])
    func moments(_ distribution: NoiseDistribution, scale: Double) {
        for seed in [1, 2] as [UInt64] {
            let sample: [Float] = Self.stream(seed).values(Self.count, distribution, scale: scale)
            let deviations = momentDeviations(sample, theory: distribution.moments, scale: scale)
            #expect(deviations.allSatisfy { abs($0) < 5 }, "seed \(seed): \(deviations)")
        }
    }

    @Test(arguments: [0.001, 0.1, 0.5, 0.9, 0.999])
    func dropMoments(p: Double) {
        let sample: [Float] = dropValues(Self.count, probability: p, seed: 5)
        let deviations = momentDeviations(sample, theory: Theory.drop(p))
        #expect(deviations.allSatisfy { abs($0) < 5 }, "\(deviations)")
        #expect(Set(sample) == [-1, Float(p / (1 - p))])
    }

    @Test func shapes() {
        let cdfs: [(NoiseDistribution, (Double) -> Double)] = [
            (.normal, Theory.normalCDF), (.uniform, Theory.uniformCDF), (.laplace, Theory.laplaceCDF),
        ]
        for (distribution, cdf) in cdfs {
            let sample = (Self.stream(7).values(Self.count / 2, distribution) as [Float]).sorted()
            let ks = kolmogorovSmirnov(sorted: sample, cdf)
            let ad = andersonDarling(sorted: sample, cdf)
            #expect(ks < 2.7, "\(distribution)")
            #expect(ad < 13, "\(distribution)")
            // The tests themselves can fail: a scale 1% off.
            #expect(kolmogorovSmirnov(sorted: sample) { cdf($0 * 1.01) } > 2.7)
            #expect(andersonDarling(sorted: sample) { cdf($0 * 1.01) } > 13)
        }
        #expect(Set(Self.stream(7).values(1000, .rademacher) as [Float]) == [-1, 1])
    }

    /// How many of 2²⁶ values lie beyond 3, 4 and 5 σ on each side (expected: 90,588, 2,125 and 19).
    @Test(arguments: [NoiseDistribution.normal, .laplace])
    func tails(_ distribution: NoiseDistribution) {
        let cdf = distribution == .normal ? Theory.normalCDF : Theory.laplaceCDF
        let thresholds: [Float] = [-5, -4, -3, 3, 4, 5]
        var counts = [Int](repeating: 0, count: thresholds.count)
        var largest: Float = 0
        let piece = 1 << 20
        var values = [Float](repeating: 0, count: piece)
        for part in 0..<64 {
            let stream = NoiseStream(
                key: NoiseKey(seed: 11), step: 0, parameter: 0, term: 0, firstElement: UInt64(part * piece))
            var span = values.mutableSpan
            stream.fill(&span, with: distribution)
            for value in values where abs(value) > 3 {
                largest = max(largest, abs(value))
                for (place, threshold) in thresholds.enumerated() {
                    if threshold < 0 ? value < threshold : value > threshold { counts[place] += 1 }
                }
            }
        }
        for (threshold, count) in zip(thresholds, counts) {
            let expected = cdf(-Double(abs(threshold))) * Double(64 * piece)
            #expect(
                abs(Double(count) - expected) < 5 * expected.squareRoot() + 1,
                "beyond \(threshold): \(count), expected \(expected)")
        }
        if distribution == .normal { #expect(largest > 5.2 && largest < 6.8) }
    }
}
