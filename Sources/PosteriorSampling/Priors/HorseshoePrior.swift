import Foundation
import PerturbedEquations

/// A horseshoe-like scale mixture of normals, in closed form: a spike at 0 and tails as heavy as Cauchy's.
///
/// ```
/// p(θ) = log(1 + τ²/(θ² + ε²)) / (2π(√(τ² + ε²) − ε))
/// derivative of −log p = 2τ²θ/((θ² + ε²)(θ² + ε² + τ²)·log(1 + τ²/(θ² + ε²)))
/// ```
///
/// With ε = 0 it is the horseshoe-like density of the source, whose spike is infinite: no step of a gradient sampler is
/// small enough there. ε rounds the spike, and the density stays proper, since ∫log((x² + a²)/(x² + b²))dx = 2π(a − b).
/// The derivative is largest near ε: take η well below ε².
///
/// Source: Bhadra et al. 2021, The Horseshoe-Like Regularization for Feature Subset Selection; Carvalho, Polson and Scott
/// 2010, The Horseshoe Estimator for Sparse Signals.
public struct HorseshoePrior: Prior, Equatable {
    /// τ, > 0, in units of θ: beyond it the tails begin. 1 unless told.
    public var scale: Double
    /// ε, > 0, in units of θ: the width of the spike. A tenth of τ unless told.
    public var spike: Double

    public init(scale: Double = 1, spike: Double? = nil) {
        self.scale = scale
        self.spike = spike ?? scale / 10
    }

    public func energy(_ theta: Double) -> Double {
        let square = theta * theta + spike * spike
        // √(τ² + ε²) − ε, whose digits a subtraction would lose for a wide spike.
        let width = scale * scale / (Double.hypot(scale, spike) + spike)
        let normaliser = 2 * Double.pi * width
        return log(normaliser) - log(log1p(scale * scale / square))
    }

    public func derivative(_ theta: Double) -> Double {
        let square = theta * theta + spike * spike
        let ratio = scale * scale / square
        // Far out log1p(x) ≈ x, and the quotient keeps its digits.
        return 2 * theta * ratio / ((square + scale * scale) * log1p(ratio))
    }

    public func validate() throws {
        try requireProper("scale", scale)
        try requireProper("spike", spike)
        let ratio = scale / spike
        try require(
            (ratio * ratio).isFinite && (1 / (ratio * ratio)).isFinite, "spike", is: spike,
            allowed: "1e-154 to 1e154 times the scale, \(scale), since U has the square of their ratio")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "horseshoe", summary: "A horseshoe-like scale mixture: a spike at 0 and heavy tails.",
        equation: "p(θ) = log(1 + τ²/(θ² + ε²))/(2π(√(τ² + ε²) − ε))",
        parameters: [
            .init("scale", "number", default: "1", allowed: "> 0", unit: "θ", "τ"),
            .init("spike", "number", default: "scale/10", allowed: "> 0", unit: "θ", "ε, the spike's width"),
        ],
        source: "Bhadra et al. 2021, The Horseshoe-Like Regularization for Feature Subset Selection")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            scale: try container.decode(.scale, default: 1),
            spike: try container.decodeIfPresent(Double.self, forKey: .spike))
    }
}

extension Double {
    fileprivate static func hypot(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
}
