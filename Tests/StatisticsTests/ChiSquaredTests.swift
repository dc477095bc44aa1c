import Foundation
import Statistics
import TestSupport
import Testing

/// The χ² distribution's tail and the test of equal bins.
@Suite struct ChiSquaredTests {
    @Test func closedForms() {
        for x in [1e-6, 0.3, 1, 4, 20, 100, 700] {
            // Two degrees of freedom are an exponential, four a Gamma.
            let two = ChiSquaredTest.upperTail(x, degreesOfFreedom: 2)
            #expect(abs(two - exp(-x / 2)) <= 1e-13 * exp(-x / 2))
            let four = ChiSquaredTest.upperTail(x, degreesOfFreedom: 4)
            #expect(abs(four - exp(-x / 2) * (1 + x / 2)) <= 1e-13 * exp(-x / 2) * (1 + x / 2))
            let one = ChiSquaredTest.upperTail(x, degreesOfFreedom: 1)
            #expect(abs(one - erfc((x / 2).squareRoot())) <= 1e-12 * erfc((x / 2).squareRoot()))
        }
        #expect(ChiSquaredTest.upperTail(0, degreesOfFreedom: 3) == 1)
        let equal = ChiSquaredTest(uniform: [7, 7, 7])
        #expect(equal.statistic == 0 && equal.degreesOfFreedom == 2 && equal.pValue == 1)
    }

    @Test func agreesWithSciPy() throws {
        var random = SeededGenerator(otherwise: 20_261_125)
        let samples = [2, 3, 8, 16, 40, 200].flatMap { bins in
            (0..<3).map { spread in
                (0..<bins).map { _ in 40 + Int.random(in: -12 * spread...12 * spread, using: &random) }
            }
        }
        let found = try JSONDecoder().decode(
            [[Double]].self,
            from: Data(
                ParityPython.run(
                    """
                    import json, sys
                    from scipy import stats
                    print(json.dumps([list(map(float, stats.chisquare(c))) for c in json.loads(sys.argv[1])]))
                    """, "\(samples)", with: "scipy"
                ).utf8))
        for (counts, expected) in zip(samples, found) {
            let test = ChiSquaredTest(uniform: counts)
            #expect(abs(test.statistic - expected[0]) < 1e-10 * max(1, expected[0]), "\(counts)")
            #expect(abs(test.pValue - expected[1]) < 1e-11 * expected[1] + 1e-300, "\(counts)")
        }
    }
}
