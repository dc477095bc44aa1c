import Foundation
import PerturbedEquations
import Statistics
import TestSupport
import Testing

/// Distributions, tests and intervals against SciPy on random samples.
@Suite struct SciPyTests {
    /// Samples that SciPy and we are given: of several sizes and distributions, some with ties and zeros.
    private struct Samples: Codable {
        var seed: UInt64
        var differences: [[Double]]
    }

    private struct Expected: Codable {
        var signFlip: [Double?]
        var wilcoxon: [Double]
        var tInterval: [[Double]]
        var bootstrap: [[Double]]
        var normalQuantiles: [Double]
        var tQuantiles: [[Double]]
    }

    private static let levels = [1e-12, 1e-6, 0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999]
    private static let freedoms = [1.0, 2, 4, 9, 30, 200]

    private static let script = """
        import json, sys
        import numpy as np
        from scipy import stats
        given = json.load(open(sys.argv[1]))
        levels, freedoms = json.loads(sys.argv[2]), json.loads(sys.argv[3])
        result = {"signFlip": [], "wilcoxon": [], "tInterval": [], "bootstrap": []}
        for values in map(np.array, given["differences"]):
            n = len(values)
            exact = None
            if n <= 14:
                exact = stats.permutation_test((values,), lambda x, axis: np.sum(x, axis=axis),
                    permutation_type="samples", n_resamples=np.inf, vectorized=True).pvalue
            result["signFlip"].append(exact)
            tied = len(np.unique(np.abs(values))) < n or np.any(values == 0)
            if not tied:
                p = stats.wilcoxon(values, method="exact").pvalue
            elif n <= 14:
                x = values[values != 0]
                r = stats.rankdata(np.abs(x))
                signs = np.array(np.meshgrid(*[[0, 1]] * len(x))).reshape(len(x), -1)
                sums, w = (signs * r[:, None]).sum(0), r[x > 0].sum()
                p = min(1, 2 * min((sums <= w + 1e-9).mean(), (sums >= w - 1e-9).mean()))
            else:
                p = -1
            result["wilcoxon"].append(p)
            result["tInterval"].append(list(stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))))
            b = stats.bootstrap((values,), np.mean, n_resamples=100_000, batch=10_000, method="BCa", rng=1)
            result["bootstrap"].append([b.confidence_interval.low, b.confidence_interval.high])
        result["normalQuantiles"] = [stats.norm.ppf(p) for p in levels]
        result["tQuantiles"] = [[stats.t.ppf(p, f) for p in levels] for f in freedoms]
        print(json.dumps(result))
        """

    private static func samples(seed: UInt64) -> Samples {
        let key = NoiseKey(seed: seed)
        func uniform(_ counter: Int) -> Double {
            (Double(key.word(UInt64(counter)) >> 11) + 0.5)
                / Double(sign: .plus, exponent: 53, significand: 1)
        }
        var differences: [[Double]] = []
        for (number, count) in [3, 5, 6, 8, 10, 12, 14, 25, 40].enumerated() {
            let numbers = (0..<count).map { uniform(number * 1000 + $0) }
            differences.append(numbers.map { Normal.quantile($0) + 0.4 })
            differences.append(numbers.map { -log($0) - 0.8 })
            // Ties, and zeros now and then.
            if count <= 14 { differences.append(numbers.map { ($0 * 7).rounded() - 3 + 0.5 }) }
            if (6...14).contains(count) { differences.append(numbers.map { ($0 * 9).rounded() - 3 }) }
        }
        return Samples(seed: seed, differences: differences)
    }

    @Test func agreesWithSciPy() throws {
        let samples = Self.samples(seed: 20_261_124)
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode(samples).write(to: directory.file("samples.json"))
        let expected = try JSONDecoder().decode(
            Expected.self,
            from: Data(
                ParityPython.run(
                    Self.script, directory.file("samples.json").path, "\(Self.levels)", "\(Self.freedoms)",
                    with: "scipy"
                ).utf8))
        let key = NoiseKey(seed: samples.seed)
        for (index, values) in samples.differences.enumerated() {
            let note = "seed \(samples.seed), sample \(index): \(values)"
            if let exact = expected.signFlip[index] {
                #expect(abs(SignFlipTest.pValue(values, key: key) - exact) < 1e-12, "sign flips, \(note)")
            }
            if expected.wilcoxon[index] >= 0 {
                #expect(
                    abs(WilcoxonTest.pValue(values) - expected.wilcoxon[index]) < 1e-12, "Wilcoxon, \(note)")
            }
            let interval = try #require(StudentT.interval(ofMean: values))
            #expect(abs(interval.lower - expected.tInterval[index][0]) < 1e-9, "t, \(note)")
            #expect(abs(interval.upper - expected.tInterval[index][1]) < 1e-9, "t, \(note)")
            // Both are random: within a few of the quantiles' own standard errors. Means of few values lie apart from
            // each other, and a quantile may fall on either side of a gap.
            let tolerance = values.count < 10 ? 0.12 : 0.03
            let bootstrap = try #require(Bootstrap.interval(ofMean: values, resamples: 100_000, key: key))
            let width = expected.bootstrap[index][1] - expected.bootstrap[index][0]
            #expect(abs(bootstrap.lower - expected.bootstrap[index][0]) <= tolerance * width, "BCa, \(note)")
            #expect(abs(bootstrap.upper - expected.bootstrap[index][1]) <= tolerance * width, "BCa, \(note)")
        }
        for (level, quantile) in zip(Self.levels, expected.normalQuantiles) {
            #expect(abs(Normal.quantile(level) - quantile) <= 1e-12 * max(1, abs(quantile)), "Φ⁻¹(\(level))")
        }
        for (freedom, quantiles) in zip(Self.freedoms, expected.tQuantiles) {
            for (level, quantile) in zip(Self.levels, quantiles) {
                #expect(
                    abs(StudentT.quantile(level, freedom: freedom) - quantile)
                        <= 1e-9 * max(1, abs(quantile)), "t(\(freedom)) at \(level)")
            }
        }
    }
}
