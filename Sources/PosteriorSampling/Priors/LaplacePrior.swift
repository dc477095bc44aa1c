import Foundation
import PerturbedEquations

/// Independent Laplace weights: most near 0, some far: p(θ) = exp(−|θ|/b)/(2b).
///
/// ```
/// −log p = |θ|/b + log 2b,   derivative sign(θ)/b, 0 at 0
/// ```
///
/// Its mode is the lasso's. The density has a kink at 0, where a sampler's step of size √η smears it over ±√η.
///
/// Source: Park and Casella 2008, The Bayesian Lasso.
public struct LaplacePrior: Prior, Equatable {
    /// b, > 0, in units of θ; the deviation is √2·b. 1 unless told.
    public var scale: Double

    public init(scale: Double = 1) { self.scale = scale }

    public func energy(_ theta: Double) -> Double { abs(theta) / scale + log(2 * scale) }

    public func derivative(_ theta: Double) -> Double {
        theta == 0 ? 0 : theta > 0 ? 1 / scale : -1 / scale
    }

    public func validate() throws { try requireProper("scale", scale) }

    public static let catalogueEntry = CatalogueEntry(
        name: "laplace", summary: "Independent Laplace weights: most near 0, some far.",
        equation: "p(θ) = exp(−|θ|/b)/(2b); −log p = |θ|/b + log 2b",
        parameters: [.init("scale", "number", default: "1", allowed: "> 0", unit: "θ", "b")],
        source: "Park and Casella 2008, The Bayesian Lasso")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(scale: try container.decode(.scale, default: 1))
    }
}
