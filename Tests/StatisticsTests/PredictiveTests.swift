import Foundation
import Statistics
import TestSupport
import Testing

/// Predictive distributions of several samples, and what scores tell apart.
@Suite struct PredictiveTests {
    @Test func uncertaintyOfClasses() {
        // Samples that agree and are unsure: all of it is aleatoric.
        let unsure = ClassPredictive(samples: [[0.5, 0.5], [0.5, 0.5]])
        #expect(abs(unsure.entropy - log(2.0)) < 1e-15 && unsure.mutualInformation < 1e-15)
        // Samples that are sure and disagree: all of it is epistemic.
        let disagreeing = ClassPredictive(samples: [[1, 0], [0, 1]])
        #expect(disagreeing.probabilities == [0.5, 0.5] && disagreeing.expectedEntropy == 0)
        #expect(abs(disagreeing.mutualInformation - log(2.0)) < 1e-15)
        let sure = ClassPredictive(samples: [[0, 1, 0]])
        #expect(sure.entropy == 0 && sure.mutualInformation == 0)
    }

    /// The two kinds of uncertainty add up, and disagreement is never negative.
    @Test func partsOfUncertaintyAddUp() {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let samples = (0..<5).map { _ in
                let weights = (0..<4).map { _ in Double.random(in: 0...1, using: &random) }
                let sum = weights.reduce(0, +)
                return weights.map { $0 / sum }
            }
            let predictive = ClassPredictive(samples: samples)
            #expect(abs(predictive.probabilities.reduce(0, +) - 1) < 1e-12, "seed \(random.seed)")
            #expect(
                abs(predictive.expectedEntropy + predictive.mutualInformation - predictive.entropy) < 1e-12,
                "seed \(random.seed)")
        }
    }

    @Test func oneNormalIsItself() {
        let normal = NormalMixture(means: [2], deviations: [3])
        #expect(normal.mean == 2 && normal.variance == 9 && normal.epistemicVariance == 0)
        #expect(abs(normal.logDensity(5) - (-0.5 - log(3.0) - 0.5 * log(2 * Double.pi))) < 1e-15)
        let interval = normal.interval(level: 0.95)
        #expect(abs(interval.upper - (2 + 3 * 1.959963984540054)) < 1e-12)
        #expect(abs(interval.lower - (2 - 3 * 1.959963984540054)) < 1e-12)
    }

    /// Mean, variance, density and quantiles of a mixture against sums over a fine grid.
    @Test func aMixtureByItsIntegral() {
        let mixture = NormalMixture(means: [-2, 0.5, 4], deviations: [0.3, 1, 2])
        let step = 1e-3
        var (mass, mean, square) = (0.0, 0.0, 0.0)
        for i in -20_000...20_000 {
            let y = Double(i) * step
            let density = exp(mixture.logDensity(y)) * step
            mass += density
            mean += density * y
            square += density * y * y
        }
        #expect(abs(mass - 1) < 1e-9 && abs(mean - mixture.mean) < 1e-9)
        #expect(abs(square - mean * mean - mixture.variance) < 1e-8)
        for p in [1e-6, 0.025, 0.3, 0.5, 0.9, 0.999] {
            #expect(abs(mixture.cumulative(mixture.quantile(p)) - p) < 1e-12, "\(p)")
        }
        // So far out that the density itself is 0.
        #expect(mixture.logDensity(1e4) < -1e6 && mixture.logDensity(1e4).isFinite)
    }

    @Test func whatScoresTellApart() {
        #expect(areaUnderROC(positives: [3, 4], negatives: [1, 2]) == 1)
        #expect(areaUnderROC(positives: [1, 2], negatives: [3, 4]) == 0)
        #expect(areaUnderROC(positives: [1, 1], negatives: [1, 1, 1]) == 0.5)
        #expect(areaUnderROC(positives: [], negatives: [1]).isNaN)
        #expect(areaUnderROC(positives: [.nan], negatives: [1]).isNaN)
        // All pairs counted.
        var random = SeededGenerator()
        let a = (0..<40).map { _ in Double(Int.random(in: 0...9, using: &random)) }
        let b = (0..<60).map { _ in Double(Int.random(in: -2...7, using: &random)) }
        let pairs = a.flatMap { x in b.map { x > $0 ? 1 : x == $0 ? 0.5 : 0 } }
        #expect(
            abs(areaUnderROC(positives: a, negatives: b) - Sample.mean(pairs)) < 1e-12, "seed \(random.seed)")
    }
}
