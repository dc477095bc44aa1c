import Foundation
import PerturbedEquations

/// Independent normal weights: p(θ) = N(0, s²).
///
/// ```
/// −log p = θ²/(2s²) + log s + ½log 2π,   derivative θ/s²
/// ```
///
/// It is a weight decay of λ = 1/(Ns²) in units of the mean loss over N examples.
public struct GaussianPrior: Prior, Equatable {
    /// s, > 0, in units of θ; 1 unless told.
    public var deviation: Double

    public init(deviation: Double = 1) { self.deviation = deviation }

    public func energy(_ theta: Double) -> Double {
        let z = theta / deviation
        return 0.5 * z * z + log(deviation) + 0.5 * log(2 * Double.pi)
    }

    public func derivative(_ theta: Double) -> Double { theta / (deviation * deviation) }

    public func addDerivative(
        at theta: UnsafeBufferPointer<Float>, share: Double, to gradient: UnsafeMutableBufferPointer<Float>
    ) {
        addScaled(theta, scale: share / (deviation * deviation), to: gradient)
    }

    public func addDerivative(
        at theta: UnsafeBufferPointer<Double>, share: Double, to gradient: UnsafeMutableBufferPointer<Double>
    ) {
        addScaled(theta, scale: share / (deviation * deviation), to: gradient)
    }

    public func energy(of theta: UnsafeBufferPointer<Float>) -> Double {
        energy(theta.count, sumOfSquares(theta))
    }
    public func energy(of theta: UnsafeBufferPointer<Double>) -> Double {
        energy(theta.count, sumOfSquares(theta))
    }

    private func energy(_ count: Int, _ squares: Double) -> Double {
        squares / (2 * deviation * deviation) + Double(count)
            * (log(deviation) + 0.5 * log(2 * Double.pi))
    }

    public func validate() throws { try requireProper("deviation", deviation) }

    public static let catalogueEntry = CatalogueEntry(
        name: "gaussian", summary: "Independent normal weights: weight decay.",
        equation: "p(θ) = N(0, s²); −log p = θ²/(2s²) + log s + ½log 2π",
        parameters: [.init("deviation", "number", default: "1", allowed: "> 0", unit: "θ", "s")],
        source: "MacKay 1992, A Practical Bayesian Framework for Backpropagation Networks")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(deviation: try container.decode(.deviation, default: 1))
    }
}

/// Σxᵢ², in float64 and in a fixed order, by vector instructions.
package func sumOfSquares<S: EquationScalar>(_ values: UnsafeBufferPointer<S>) -> Double {
    dotProduct(values, values)
}
