import PerturbedEquations

/// The test of Σd = 0 by the signs of the differences: exact where d and −d are equally likely.
///
/// p = P(|Σ±d| ≥ |Σd|) over all 2ⁿ signs. Up to 20 differences every sign is tried; beyond, 100,000 are drawn and
/// p = (1 + hits)/(1 + draws).
///
/// Source: R. A. Fisher (1935), *The Design of Experiments*, §21.
public enum SignFlipTest {
    /// The largest sample whose signs are all tried.
    public static let exactLimit = 20
    static let draws = 100_000

    /// The two-sided p-value; 1 for no differences.
    ///
    /// - Parameter key: addresses the draws beyond ``exactLimit``.
    public static func pValue(_ differences: [Double], key: NoiseKey) -> Double {
        let observed = abs(differences.reduce(0, +))
        // Equal sums may differ in the last bits by the order of their terms.
        let threshold = observed - 1e-12 * differences.reduce(0) { $0 + abs($1) }
        return differences.count <= exactLimit
            ? exact(differences, threshold)
            : drawn(differences, threshold, key)
    }

    /// The smallest p-value that n differences can give: 2^(1−n).
    public static func smallestPValue(count: Int) -> Double {
        count < 1 ? 1 : max(Double(sign: .plus, exponent: 1 - count, significand: 1), 1 / Double(1 + draws))
    }

    private static func exact(_ differences: [Double], _ threshold: Double) -> Double {
        let signs = 1 << differences.count
        var sum = differences.reduce(0, +)
        var isNegative = [Bool](repeating: false, count: differences.count)
        var hits = 1
        // Gray's code: each next choice of signs differs in one.
        for choice in 1..<max(signs, 1) {
            let flipped = choice.trailingZeroBitCount
            isNegative[flipped].toggle()
            sum += (isNegative[flipped] ? -2 : 2) * differences[flipped]
            if abs(sum) >= threshold { hits += 1 }
        }
        return Double(hits) / Double(signs)
    }

    private static func drawn(_ differences: [Double], _ threshold: Double, _ key: NoiseKey) -> Double {
        let words = (differences.count + 63) / 64
        var hits = 0
        for draw in 0..<draws {
            var sum = 0.0
            for word in 0..<words {
                var bits = key.word(UInt64(draw * words + word))
                for difference in differences[(word * 64)..<min(word * 64 + 64, differences.count)] {
                    sum += bits & 1 == 0 ? difference : -difference
                    bits >>= 1
                }
            }
            if abs(sum) >= threshold { hits += 1 }
        }
        return Double(1 + hits) / Double(1 + draws)
    }
}
