import PerturbedEquations

/// A prior that treats each weight alike: p(θ) = Πᵢ p(θᵢ), proper, so that −log p(θᵢ) has its constant.
///
/// One file each; ``PriorCatalogue`` lists them.
///
/// ```yaml
/// prior: {gaussian: {deviation: 1}}
/// ```
public protocol Prior: Catalogued {
    /// −log p of one weight, in nats, with its constant: ∫exp(−energy) = 1.
    func energy(_ theta: Double) -> Double

    /// d/dθ of ``energy(_:)``.
    func derivative(_ theta: Double) -> Double

    /// gᵢ ← gᵢ + share·derivative(θᵢ). Element by element unless a prior knows a faster way.
    func addDerivative(
        at theta: UnsafeBufferPointer<Float>, share: Double, to gradient: UnsafeMutableBufferPointer<Float>)
    func addDerivative(
        at theta: UnsafeBufferPointer<Double>, share: Double, to gradient: UnsafeMutableBufferPointer<Double>)

    /// −log p(θ) = Σᵢ energy(θᵢ). Element by element unless a prior knows a faster way.
    func energy(of theta: UnsafeBufferPointer<Float>) -> Double
    func energy(of theta: UnsafeBufferPointer<Double>) -> Double
}

// Each for both types: a generic requirement, called through `any Prior`, would be compiled for neither.
extension Prior {
    public func addDerivative(
        at theta: UnsafeBufferPointer<Float>, share: Double, to gradient: UnsafeMutableBufferPointer<Float>
    ) {
        for index in theta.indices { gradient[index] += Float(share * derivative(Double(theta[index]))) }
    }

    public func addDerivative(
        at theta: UnsafeBufferPointer<Double>, share: Double, to gradient: UnsafeMutableBufferPointer<Double>
    ) {
        for index in theta.indices { gradient[index] += share * derivative(theta[index]) }
    }

    public func energy(of theta: UnsafeBufferPointer<Float>) -> Double {
        theta.reduce(0) { $0 + energy(Double($1)) }
    }

    public func energy(of theta: UnsafeBufferPointer<Double>) -> Double {
        theta.reduce(0) { $0 + energy($1) }
    }

    /// The same for a type that is known later.
    func addDerivative<S: EquationScalar>(
        at theta: UnsafeBufferPointer<S>, share: Double, to gradient: UnsafeMutableBufferPointer<S>
    ) {
        if let theta = theta as? UnsafeBufferPointer<Float> {
            addDerivative(
                at: theta, share: share, to: gradient as! UnsafeMutableBufferPointer<Float>)
        } else {
            addDerivative(
                at: theta as! UnsafeBufferPointer<Double>, share: share,
                to: gradient as! UnsafeMutableBufferPointer<Double>)
        }
    }

    func energy<S: EquationScalar>(of theta: UnsafeBufferPointer<S>) -> Double {
        (theta as? UnsafeBufferPointer<Float>).map { energy(of: $0) }
            ?? energy(of: theta as! UnsafeBufferPointer<Double>)
    }
}

/// The priors that a configuration can name.
///
/// To add one: its own file, and a line here.
public enum PriorCatalogue {
    public static let all: [any Prior.Type] = [
        GaussianPrior.self,
        LaplacePrior.self,
        HorseshoePrior.self,
    ]
}

/// A prior as it is written: `{gaussian: {deviation: 1}}`.
public struct NamedPrior: Sendable, Codable {
    public var prior: any Prior

    public init(_ prior: any Prior) { self.prior = prior }

    /// The name in the catalogue.
    public var name: String { type(of: prior).catalogueEntry.name }

    /// What people call a prior that is none.
    private static let improper = ["flat", "uniform", "none", "jeffreys"]

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self), Self.improper.contains(name) {
            let proper = PriorCatalogue.all.map { $0.catalogueEntry.name }.joined(separator: ", ")
            throw ConfigurationError(
                "is \(name), which is improper: its density has no finite integral, and so the posterior may have none "
                    + "either. Allowed: the proper priors \(proper)")
        }
        prior = try decodeNamed(decoder, kind: "prior", among: PriorCatalogue.all, as: (any Prior).self)
    }

    public func encode(to encoder: any Encoder) throws { try encodeNamed(prior, to: encoder) }
}

/// Refuses a scale that makes a prior improper, or no density at all, and one that U cannot be computed with.
func requireProper(_ name: String, _ value: Double) throws {
    try require(
        value > 0 && value.isFinite, name, is: value,
        allowed: "a finite number > 0 (an infinite one makes the prior improper)")
    try requireSquare(name, value)
}

/// Refuses a scale s for which s² or 1/s² is not a positive number of float64: densities have both, and U could be computed nowhere.
package func requireSquare(_ name: String, _ value: Double) throws {
    try require(
        (value * value).isFinite && (1 / (value * value)).isFinite, name, is: value,
        allowed: "1e-154 to 1e154, of which float64 holds the square and its inverse")
}
