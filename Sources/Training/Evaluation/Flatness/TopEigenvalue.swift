import Foundation
import PerturbedEquations

/// The largest eigenvalue λ of the Hessian ∇²L(θ), by power iteration.
///
/// ```
/// v ← Hv/‖Hv‖     λ = ⟨v, Hv⟩     residual = ‖Hv − λv‖
/// ```
///
/// H has an eigenvalue within `residual` of λ. Power iteration finds the eigenvalue of the largest size; where that is a
/// negative one, it is `lowest`, and a second iteration on H − lowest·I finds λ.
///
/// Source: Yao, Gholami, Keutzer and Mahoney 2020, PyHessian: Neural Networks Through the Lens of the Hessian.
public struct TopEigenvalue: Codable, Sendable, Equatable {
    public var value: Double
    public var residual: Double
    /// Products with the Hessian.
    public var iterations: Int
    /// Whether the residual came below the tolerance times the largest eigenvalue's size.
    public var isConverged: Bool
    /// The lowest eigenvalue, where it is larger in size than the top one.
    public var lowest: Double?

    /// - Parameters:
    ///   - tolerance: of the residual, as a share of the largest eigenvalue's size, > 0.
    ///   - limit: products with the Hessian at most, for each of the two iterations.
    ///   - key: of the first v.
    /// - Throws: what ``LossSurface/hessianProduct(_:)`` throws.
    public static func measure(
        _ surface: LossSurface, tolerance: Double = 0.01, limit: Int = 100, key: NoiseKey
    ) throws -> TopEigenvalue {
        let first = try iterate(surface, shift: 0, tolerance, limit, key.derived("powerIteration"))
        guard first.value < 0 else { return first }
        var second = try iterate(
            surface, shift: -first.value, tolerance, limit, key.derived("shiftedIteration"))
        second.value += first.value
        second.iterations += first.iterations
        second.isConverged = second.isConverged && first.isConverged
        second.lowest = first.value
        return second
    }

    /// Of H + shift·I.
    private static func iterate(
        _ surface: LossSurface, shift: Double, _ tolerance: Double, _ limit: Int, _ key: NoiseKey
    ) throws -> TopEigenvalue {
        var v = try ParameterVector.random(like: surface.parameters, .normal, key: key)
        v = v.scaled(by: 1 / v.norm)
        var found = TopEigenvalue(value: 0, residual: 0, iterations: 0, isConverged: false)
        for iteration in 1...max(1, limit) {
            var product = try surface.hessianProduct(v)
            if shift != 0 { product = product.adding(v, times: shift) }
            let value = v.dot(product)
            let residual = product.adding(v, times: -value).norm
            found = TopEigenvalue(
                value: value, residual: residual, iterations: iteration,
                isConverged: residual <= tolerance * max(abs(value), shift))
            // A zero Hessian, or one that is not finite, has no direction to go on in.
            guard !found.isConverged, residual.isFinite, let next = product.normalised else { break }
            v = next
        }
        return found
    }
}
