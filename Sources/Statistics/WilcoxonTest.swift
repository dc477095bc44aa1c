/// Wilcoxon's signed-rank test: whether differences lie symmetrically about 0, by their ranks.
///
/// W⁺ is the sum of the ranks of |d| over d > 0; equal |d| share the mean of their ranks, and d = 0 is left out. The
/// two-sided p = min(1, 2·min(P(W⁺ ≤ w), P(W⁺ ≥ w))) is exact up to 200 differences, ties included; beyond, the normal
/// distribution takes its place, with the variance that ties leave.
///
/// Source: F. Wilcoxon (1945), *Individual Comparisons by Ranking Methods*.
public enum WilcoxonTest {
    static let exactLimit = 200

    /// The two-sided p-value; 1 where no difference is left.
    public static func pValue(_ differences: [Double]) -> Double {
        let nonzero = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
        guard !nonzero.isEmpty else { return 1 }
        // Twice the ranks, which are whole with ties too.
        var ranks: [Int] = []
        while ranks.count < nonzero.count {
            let first = ranks.count
            let size = abs(nonzero[first])
            let end = nonzero[first...].firstIndex { abs($0) != size } ?? nonzero.count
            ranks += Array(repeating: first + 1 + end, count: end - first)
        }
        let positive = zip(nonzero, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
        return nonzero.count <= exactLimit ? exact(ranks, positive) : approximate(ranks, positive)
    }

    /// By the distribution of the doubled W⁺: each rank is in it or not, with equal chances.
    private static func exact(_ ranks: [Int], _ positive: Int) -> Double {
        let total = ranks.reduce(0, +)
        var probability = [Double](repeating: 0, count: total + 1)
        probability[0] = 1
        var reached = 0
        for rank in ranks {
            reached += rank
            for sum in stride(from: reached, through: 0, by: -1) {
                probability[sum] =
                    0.5 * (probability[sum] + (sum >= rank ? probability[sum - rank] : 0))
            }
        }
        let below = probability[...positive].reduce(0, +)
        let above = probability[positive...].reduce(0, +)
        return min(1, 2 * min(below, above))
    }

    private static func approximate(_ ranks: [Int], _ positive: Int) -> Double {
        let mean = Double(ranks.reduce(0, +)) / 2
        let variance = ranks.reduce(0.0) { $0 + Double($1) * Double($1) } / 4
        return min(1, 2 * Normal.cumulative(-abs(Double(positive) - mean) / variance.squareRoot()))
    }
}
