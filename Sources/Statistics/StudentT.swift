import Foundation

/// Student's t distribution with ν degrees of freedom, and the interval of a mean that rests on it.
public enum StudentT {
    /// P(T ≤ t) = 1 − ½·I_x(ν/2, ½) for t ≥ 0, with x = ν/(ν + t²); ½ + ½·I_{1−x}(½, ν/2) is the same, and keeps its
    /// precision near 0.
    ///
    /// - Parameter freedom: ν > 0.
    public static func cumulative(_ t: Double, freedom: Double) -> Double {
        let squares = freedom + t * t
        let tail =
            t * t < min(freedom, 1)
            ? 0.5 - 0.5 * incompleteBeta(t * t / squares, 0.5, freedom / 2)
            : 0.5 * incompleteBeta(freedom / squares, freedom / 2, 0.5)
        return t < 0 ? tail : 1 - tail
    }

    /// The t that T stays below with probability `p` in (0, 1).
    public static func quantile(_ p: Double, freedom: Double) -> Double {
        p > 0.5
            ? -quantile(1 - p, freedom: freedom)
            : Normal.inverse(of: { cumulative($0, freedom: freedom) }, at: p, from: -1e15, to: 0)
    }

    /// x̄ ± t·s/√n: holds the mean of normal data with probability `level`; nil for fewer than two values.
    public static func interval(ofMean values: [Double], level: Double = 0.95) -> Interval? {
        guard values.count > 1 else { return nil }
        let n = Double(values.count)
        let reach =
            quantile((1 + level) / 2, freedom: n - 1) * Sample.deviation(values) / n.squareRoot()
        let mean = Sample.mean(values)
        return Interval(lower: mean - reach, upper: mean + reach, level: level)
    }

    /// The regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz; Press and others
    /// 2007, Numerical Recipes, 6.4).
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast below the mean; above it, I_x(a, b) = 1 − I_{1−x}(b, a).
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let front =
            exp(
                a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
        let tiny = 1e-300
        func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
        var fraction = d
        for m in 1...10_000 {
            let m = Double(m)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / nonzero(1 + even * d)
            c = nonzero(1 + even / c)
            fraction *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / nonzero(1 + odd * d)
            c = nonzero(1 + odd / c)
            fraction *= d * c
            if abs(d * c - 1) < 1e-16 { break }
        }
        return front * fraction
    }
}
