/// The variance of one element of a term's noise, given the gradient: Var[δᵢ | g] = c + p·gᵢ².
///
/// Rules that know of the noise (AdamPE, RMSPE) take it off the second moment. Of independent terms the
/// variances add. Where a tensor's elements differ in another way than through gᵢ², it is their mean.
public struct ElementVariance: Hashable, Sendable {
    /// c, in gradient units²; ≥ 0.
    public var constant: Double
    /// p, a pure number. Negative where the noise avoids the direction of g.
    public var perSquaredGradient: Double

    public init(constant: Double = 0, perSquaredGradient: Double = 0) {
        self.constant = constant
        self.perSquaredGradient = perSquaredGradient
    }

    /// That of a term without randomness.
    public static let zero = ElementVariance()

    public static func + (a: Self, b: Self) -> Self {
        Self(
            constant: a.constant + b.constant,
            perSquaredGradient: a.perSquaredGradient + b.perSquaredGradient)
    }

    /// The variance of the noise multiplied by `factor`.
    public func scaled(by factor: Double) -> Self {
        Self(constant: constant * factor * factor, perSquaredGradient: perSquaredGradient * factor * factor)
    }
}
