import Foundation
import PerturbedEquations

/// The trace of the Hessian ∇²L(θ), by Hutchinson's estimator.
///
/// ```
/// tr H ≈ mean over probes of ⟨z, Hz⟩, z = ±1        standard error = s/√probes
/// ```
///
/// Unbiased, with variance 2·Σ over i ≠ j of H²ᵢⱼ per probe: exact for a diagonal Hessian. s is the standard deviation of
/// the probes' values.
///
/// Source: Hutchinson 1990, A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian Smoothing Splines.
public struct HessianTrace: Codable, Sendable, Equatable {
    public var value: Double
    /// nil for fewer than two probes.
    public var standardError: Double?
    public var probes: Int

    /// - Parameters:
    ///   - probes: ≥ 1; a product with the Hessian each.
    ///   - key: of the probes.
    /// - Throws: what ``LossSurface/hessianProduct(_:)`` throws.
    public static func measure(_ surface: LossSurface, probes: Int = 20, key: NoiseKey) throws
        -> HessianTrace
    {
        precondition(probes >= 1, "a trace needs a probe at least")
        let key = key.derived("trace")
        let values = try (0..<probes).map { probe in
            let z = try ParameterVector.random(
                like: surface.parameters, .rademacher, key: key, draw: probe)
            return z.dot(try surface.hessianProduct(z))
        }
        let mean = values.reduce(0, +) / Double(probes)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return HessianTrace(
            value: mean,
            standardError: probes > 1
                ? (squares / Double(probes - 1) / Double(probes)).squareRoot() : nil,
            probes: probes)
    }
}
