import Foundation

/// The standard normal distribution.
public enum Normal {
    /// Φ(z) = P(Z ≤ z) = ½·erfc(−z/√2).
    public static func cumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

    /// Φ⁻¹(p) for p in [0, 1], to the last bits; −∞ and ∞ at the ends.
    ///
    /// Source: Wichura 1988, Algorithm AS 241: The Percentage Points of the Normal Distribution (PPND16).
    public static func quantile(_ p: Double) -> Double {
        let q = p - 0.5
        if abs(q) <= 0.425 {
            let r = 0.180625 - q * q
            return q * ratio(r, central)
        }
        // The lower tail keeps its relative precision.
        let tail = q < 0 ? p : 1 - p
        guard tail > 0 else { return q < 0 ? -.infinity : .infinity }
        let r = (-log(tail)).squareRoot()
        let z = r <= 5 ? ratio(r - 1.6, near) : ratio(r - 5, far)
        return q < 0 ? -z : z
    }

    /// The coefficients of a polynomial over another, the highest power first.
    private typealias Rational = (above: [Double], below: [Double])

    private static func ratio(_ x: Double, _ rational: Rational) -> Double {
        func value(_ coefficients: [Double]) -> Double { coefficients.reduce(0) { $0 * x + $1 } }
        return value(rational.above) / value(rational.below)
    }

    private static let central: Rational = (
        [
            2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
            4.5921953931549871457e+4,
            1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2,
            3.3871328727963666080,
        ],
        [
            5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
            2.1213794301586595867e+4,
            5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1,
        ]
    )

    private static let near: Rational = (
        [
            7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
            1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590,
            1.42343711074968357734,
        ],
        [
            1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
            1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940,
            2.05319162663775882187, 1,
        ]
    )

    private static let far: Rational = (
        [
            2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
            2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580,
            5.46378491116411436990,
            6.65790464350110377720,
        ],
        [
            2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
            7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
            5.99832206555887937690e-1, 1,
        ]
    )

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
