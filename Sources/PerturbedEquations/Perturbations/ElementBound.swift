/// A bound on one element of a term, given the gradient: |δᵢ| ≤ a + b·|gᵢ| wherever |gᵢ| ≤ c, for certain.
///
/// By it the engine knows, before it has computed δ, that g + δ cannot overflow.
public struct ElementBound: Hashable, Sendable {
    /// a, in gradient units; ≥ 0.
    public var constant: Double
    /// b, a pure number; ≥ 0.
    public var perGradient: Double
    /// c, in gradient units; > 0, ∞ unless told.
    public var upTo: Double

    public init(constant: Double = 0, perGradient: Double = 0, upTo: Double = .infinity) {
        self.constant = constant
        self.perGradient = perGradient
        self.upTo = upTo
    }

    /// That of no term.
    public static let zero = ElementBound()

    public static func + (a: Self, b: Self) -> Self {
        Self(
            constant: a.constant + b.constant, perGradient: a.perGradient + b.perGradient,
            upTo: min(a.upTo, b.upTo))
    }

    /// The bound on the term multiplied by `factor`.
    func scaled(by factor: Double) -> Self {
        Self(constant: constant * abs(factor), perGradient: perGradient * abs(factor), upTo: upTo)
    }

    /// The largest |gᵢ| at which gᵢ + δᵢ stays below half of the scalar type's largest value; negative where
    /// there is none.
    func largestGradient(for scalar: ScalarType) -> Double {
        let limit = min(upTo, (scalar.largest / 2 - constant) / (1 + perGradient))
        return limit.isNaN ? -1 : limit
    }

    /// No variate of standard deviation 1 is larger: they are made of 32 random bits, so that a normal is below
    /// √(2·ln 2³³) = 6.8 and a Laplace variate below ln 2³³/√2 = 16.2.
    public static let largestVariate = 17.0
}
