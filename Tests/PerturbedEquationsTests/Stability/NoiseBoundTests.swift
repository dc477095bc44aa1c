import Foundation
import PerturbedEquations
import Testing

/// ‖δ‖ ≤ ρ‖g‖ and σ ≤ σ_max: they hold, and they do no more than hold.
@Suite struct NoiseBoundTests {
    static let sizes = [3, 5000, 40_000]

    static func gradient(_ tensor: Int, _ i: Int) -> Float { Float(sin(Double(i + 7 * tensor))) }

    /// The δ that really reached θ (η = 1, θ = 0), its norm and ‖g‖, over all tensors.
    static func run(
        _ terms: [any Perturbation], _ stability: Stability, scale: Float = 1
    ) throws -> (
        delta: [[Double]], norm: Double, gradient: Double, report: StepReport, counts: StabilityCounts
    ) {
        let tensors = Tensors<Float>(sizes: sizes) { _, _ in 0 }
        tensors.setGradient { tensor, i, _ in scale * gradient(tensor, i) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: terms, stability: stability), seed: 3)
        let report = try optimizer.step(tensors.buffers, measure: true)
        let delta = sizes.indices.map { t in
            tensors[t].enumerated().map { -Double($1) - Double(scale * gradient(t, $0)) }
        }
        let norm = delta.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
        let g = sizes.indices.flatMap { t in (0..<sizes[t]).map { Double(scale * gradient(t, $0)) } }
        return (delta, norm, g.reduce(0) { $0 + $1 * $1 }.squareRoot(), report, optimizer.counts)
    }

    @Test(arguments: [0.01, 0.3, 1, 2])
    func theBoundHoldsAndBinds(ratio: Double) throws {
        for terms in [
            [Gaussian(sigma: 5)], [Laplace(sigma: 3), Uniform(sigma: 3)], [Orthogonal(sigma: 5)],
            [GradientScaled(alpha: 20), WeightPenalty(l2: 1)], [Adaptive(alpha: 10, .sign)],
        ] as [[any Perturbation]] {
            let result = try Self.run(terms, Stability(perturbationToGradient: Scheduled(ratio)))
            // The measured norm to double precision; the one in θ to float32's rounding of θ.
            let measured = result.report.perturbationNorm! / result.report.gradientNorm!
            #expect(measured <= ratio * (1 + 1e-14) && measured >= ratio * (1 - 1e-14), "\(measured)")
            #expect(abs(result.norm / result.gradient / ratio - 1) < 1e-5)
            #expect(result.report.boundScale < 1 && result.counts.bounded == 1)
            // The direction is kept.
            let free = try Self.run(terms, Stability())
            let inner = zip(free.delta.joined(), result.delta.joined()).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(inner / free.norm / result.norm > 1 - 1e-6)
            #expect(abs(free.norm * result.report.boundScale / result.norm - 1) < 1e-5)
        }
    }

    /// Below the bound, not a bit changes.
    @Test func aLooseBoundDoesNothing() throws {
        let free = try Self.run([Gaussian(sigma: 0.1)], Stability())
        let bounded = try Self.run([Gaussian(sigma: 0.1)], Stability(perturbationToGradient: 0.5))
        #expect(free.delta == bounded.delta)
        #expect(bounded.report.boundScale == 1 && bounded.counts.bounded == 0)
    }

    /// ρ is measured after clipping.
    @Test func afterClipping() throws {
        let result = try Self.run(
            [Gaussian(sigma: 5)], Stability(clipGlobalNorm: 2, perturbationToGradient: 0.5), scale: 1000)
        #expect(abs(result.report.gradientNorm! - 2) < 1e-12)
        #expect(abs(result.report.perturbationNorm! - 1) < 1e-12)
    }

    /// ‖δ‖² ≤ κ‖g‖² for each tensor by itself, with equality where it binds.
    @Test(arguments: [0.01, 0.25, 4])
    func theVarianceBound(kappa: Double) throws {
        for terms in [
            [Gaussian(sigma: 5)], [GradientScaled(alpha: 20), WeightPenalty(l2: 1)], [Orthogonal(sigma: 5)],
        ] as [[any Perturbation]] {
            let free = try Self.run(terms, Stability())
            let result = try Self.run(terms, Stability(varianceBound: Scheduled(kappa)))
            for (tensor, delta) in result.delta.enumerated() {
                let g = (0..<Self.sizes[tensor]).map { Double(Self.gradient(tensor, $0)) }
                let ratio = delta.reduce(0) { $0 + $1 * $1 } / g.reduce(0) { $0 + $1 * $1 }
                let before = free.delta[tensor].reduce(0) { $0 + $1 * $1 } / g.reduce(0) { $0 + $1 * $1 }
                #expect(abs(ratio / min(kappa, before) - 1) < 1e-5, "tensor \(tensor): \(ratio) of \(before)")
            }
            #expect(result.report.varianceScale < 1 && result.counts.varianceBounded == 1)
            #expect(result.report.boundScale == 1 && result.counts.bounded == 0)
        }
        let free = try Self.run([Gaussian(sigma: 0.01)], Stability())
        let loose = try Self.run([Gaussian(sigma: 0.01)], Stability(varianceBound: 1))
        #expect(free.delta == loose.delta && loose.counts.varianceBounded == 0)
    }

    /// The bound on each tensor first, then that on all: both hold.
    @Test func bothBounds() throws {
        let result = try Self.run(
            [Gaussian(sigma: 5)], Stability(perturbationToGradient: 0.1, varianceBound: 0.25))
        #expect(abs(result.norm / result.gradient - 0.1) < 1e-6)
        #expect(abs(result.report.boundScale - 0.2) < 1e-6)
        #expect(abs(result.report.perturbationNorm! / result.report.gradientNorm! - 0.1) < 1e-12)
    }

    /// No gradient, no noise; ρ = 0 likewise.
    @Test func zeroBounds() throws {
        let still = try Self.run([Gaussian(sigma: 5)], Stability(perturbationToGradient: 0.5), scale: 0)
        #expect(still.norm == 0)
        let none = try Self.run([Gaussian(sigma: 5)], Stability(perturbationToGradient: 0))
        #expect(none.norm == 0)
        #expect(try Self.run([Gaussian(sigma: 5)], Stability(varianceBound: 0)).norm == 0)
        #expect(try Self.run([Gaussian(sigma: 5)], Stability(varianceBound: 9), scale: 0).norm == 0)
    }

    /// A δ that overflows is not scaled into NaN: the step is skipped.
    @Test func anInfinitePerturbation() throws {
        let result = try Self.run(
            [Adaptive(alpha: 1, .square)], Stability(perturbationToGradient: 0.5), scale: 1e30)
        #expect(result.report.outcome == .skippedNonFinite && result.counts.skipped == 1)
    }

    @Test func sigmaMax() throws {
        for terms in [
            [Gaussian(sigma: 5)], [Uniform(sigma: .relative(10))], [Laplace(sigma: .relative(10, .all))],
            [Orthogonal(sigma: 5)],
        ] as [[any Perturbation]] {
            let result = try Self.run(terms, Stability(sigmaMax: 0.25))
            #expect(result.report.sigma == 0.25)
            #expect(result.report.strengthIsBounded && result.counts.strengthsBounded == 1)
            let (_, variance) = meanAndVariance(Array(result.delta.joined()))
            #expect(abs(variance / 0.0625 - 1) < 5 * (5 / 45_000.0).squareRoot(), "\(variance)")
        }
        // Noise in proportion to the gradient: its root mean square over each tensor.
        for term in [GradientScaled(alpha: 20), DropNoise(probability: 0.9)] as [any Perturbation] {
            let result = try Self.run([term], Stability(sigmaMax: 0.25))
            for delta in result.delta.dropFirst() {
                let (mean, variance) = meanAndVariance(delta)
                #expect(abs(variance / 0.0625 - 1) < 0.1 && abs(mean) < 0.02, "\(term): \(variance)")
            }
            let free = try Self.run([term], Stability())
            #expect(try Self.run([term], Stability(sigmaMax: 1e6)).delta == free.delta)
        }
        let loose = try Self.run([Gaussian(sigma: 0.1)], Stability(sigmaMax: 0.25))
        #expect(loose.report.sigma == 0.1)
        #expect(!loose.report.strengthIsBounded && loose.counts.strengthsBounded == 0)
    }
}
