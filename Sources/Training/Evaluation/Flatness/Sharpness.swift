import Foundation
import PerturbedEquations

/// ε-sharpness: how far the loss rises in a ball around θ, max over ‖δ‖ ≤ ρ of L(θ + δ) − L(θ), from below.
///
/// ```
/// δ₁ = ρ·∇L(θ)/‖∇L(θ)‖        δₖ₊₁ = ρ·∇L(θ + δₖ)/‖∇L(θ + δₖ)‖
/// ```
///
/// δ₁ is the step that SAM takes; further ones repeat it from where it led. For a convex loss each is at least as high as
/// the one before, and on a quadratic around its minimum they are power iteration, which ends at ½ρ²λ. `ascent` is the
/// highest of all, and 0 where none is above L(θ). Where the gradient is 0, its direction is drawn.
///
/// Sources: Keskar et al. 2017, On Large-Batch Training for Deep Learning (the measure, over a box); Foret et al. 2021,
/// Sharpness-Aware Minimization (the ball, one step).
public struct Sharpness: Codable, Sendable, Equatable {
    /// ρ, the radius.
    public var rho: Double
    /// L(θ + δ₁) − L(θ).
    public var oneStep: Double
    /// The largest L(θ + δ) − L(θ) that was found.
    public var ascent: Double
    public var steps: Int

    /// - Parameters:
    ///   - rho: > 0, and a float32: at most `Float.greatestFiniteMagnitude`.
    ///   - steps: gradients, ≥ 1.
    ///   - key: of the direction where the gradient is 0, or as good as 0.
    /// - Throws: `TorchError`; ``TrainingStopped`` where a stop was asked for.
    public static func measure(_ surface: LossSurface, rho: Double, steps: Int = 10, key: NoiseKey) throws
        -> Sharpness
    {
        precondition(rho > 0 && rho <= Double(Float.greatestFiniteMagnitude) && steps >= 1)
        var (gradient, loss) = try surface.gradient()
        var losses: [Double] = []
        for step in 1...steps {
            let direction =
                try gradient.normalised
                ?? ParameterVector.random(
                    like: surface.parameters, .normal, key: key.derived("sharpness"), draw: step
                ).normalised!
            let move = [(direction: direction, factor: rho)]
            if step == steps {
                losses.append(try surface.displaced(by: move) { try surface.loss() })
            } else {
                let next = try surface.displaced(by: move) { try surface.gradient() }
                losses.append(next.loss)
                gradient = next.gradient
            }
        }
        let rises = losses.map { $0 - loss }
        // A loss that is no number is beyond all numbers: it may not hide behind a smaller one.
        let top = rises.contains { $0.isNaN } ? .nan : max(0, rises.max() ?? 0)
        return Sharpness(rho: rho, oneStep: rises[0], ascent: top, steps: steps)
    }
}
