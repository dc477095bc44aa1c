import Foundation

/// Pearson's test of whether counts are of equally likely bins.
///
/// ```
/// X² = Σ (nᵢ − n/k)²/(n/k),   p = P(χ²_{k−1} ≥ X²)
/// ```
///
/// The law of X² is near χ² where each bin expects five counts or more.
///
/// Source: Pearson 1900, On the Criterion that a Given System of Deviations …
public struct ChiSquaredTest: Sendable, Hashable {
    /// X².
    public let statistic: Double
    /// k − 1.
    public let degreesOfFreedom: Int
    /// How likely counts are that differ as much, where all bins are equally likely.
    public let pValue: Double

    /// - Precondition: two bins at least, and a count.
    public init(uniform counts: [Int]) {
        let total = counts.reduce(0, +)
        precondition(counts.count >= 2 && total > 0, "\(counts.count) bins with \(total) counts")
        let expected = Double(total) / Double(counts.count)
        statistic = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        degreesOfFreedom = counts.count - 1
        pValue = Self.upperTail(statistic, degreesOfFreedom: degreesOfFreedom)
    }

    /// P(χ²_k ≥ x) = Q(k/2, x/2), the regularised upper incomplete gamma function.
    public static func upperTail(_ x: Double, degreesOfFreedom k: Int) -> Double {
        upperGamma(Double(k) / 2, x / 2)
    }

    /// Q(a, x): 1 minus its series below a + 1, and Lentz's continued fraction above.
    ///
    /// Source: Press et al. 2007, Numerical Recipes, section 6.2
    static func upperGamma(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 1 }
        let factor = exp(a * log(x) - x - lgamma(a))
        if x < a + 1 {
            var (term, sum, place) = (1 / a, 1 / a, a)
            while abs(term) > 1e-17 * abs(sum) {
                place += 1
                term *= x / place
                sum += term
            }
            return 1 - factor * sum
        }
        let tiny = 1e-300
        var b = x + 1 - a
        var c = 1 / tiny
        var d = 1 / b
        var fraction = d
        for i in 1..<10_000 {
            let an = -Double(i) * (Double(i) - a)
            b += 2
            d = an * d + b
            if abs(d) < tiny { d = tiny }
            c = b + an / c
            if abs(c) < tiny { c = tiny }
            d = 1 / d
            let change = c * d
            fraction *= change
            if abs(change - 1) < 1e-16 { break }
        }
        return factor * fraction
    }
}
