import Foundation

/// The standard normal distribution.
public enum Normal {
    /// Φ(z) = P(Z ≤ z) = ½·erfc(−z/√2).
    public static func cumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

    /// Φ⁻¹(p) for p in [0, 1]; −∞ and ∞ at the ends.
    public static func quantile(_ p: Double) -> Double {
        // The lower tail keeps its relative precision.
        p > 0.5
            ? -quantile(1 - p)
            : inverse(of: cumulative, at: p, from: -40, to: 0)
    }

    /// The x in [`lower`, `upper`] where an increasing `function` reaches `value`, by bisection to the last bit; infinite
    /// where the bounds are not enough.
    static func inverse(
        of function: (Double) -> Double, at value: Double, from lower: Double, to upper: Double
    ) -> Double {
        guard value > function(lower) else { return -.infinity }
        guard value <= function(upper) else { return .infinity }
        var (lower, upper) = (lower, upper)
        while true {
            let middle = lower + (upper - lower) / 2
            guard middle > lower, middle < upper else { return upper }
            if function(middle) < value { lower = middle } else { upper = middle }
        }
    }
}
