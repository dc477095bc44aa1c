import Foundation
import PerturbedEquations
import Testing

/// The guards on bfloat16 parameters are those on the same numbers in float32, rounded at the end.
@Suite struct BFloat16GuardTests {
    static let sizes = [3, 5000, 20_000]

    static let guards: [Stability] = [
        Stability(clipAdaptive: AdaptiveClip(ratio: 0.01)), Stability(trustRegion: TrustRegion(ratio: 0.01)),
        Stability(varianceBound: 0.1), Stability(clipNorm: 0.5, perturbationToGradient: 0.2, sigmaMax: 0.05),
        Stability(
            clipValue: 0.3, clipAdaptive: AdaptiveClip(ratio: 0.02), varianceBound: 0.2,
            trustRegion: TrustRegion(ratio: 0.02)),
    ]

    static func equation(_ stability: Stability) -> PerturbedEquation {
        PerturbedEquation(
            rule: AdamW(learningRate: 0.1), perturbation: Gaussian(sigma: 0.5), GradientScaled(alpha: 2),
            stability: stability,
            controllers: [TargetNoiseRatio(target: 0.1, of: .update, every: 1)], rounding: .nearest)
    }

    static func gradient(_ tensor: Int, _ i: Int, _ theta: Float) -> Float {
        Float(BFloat16(theta / 4 + Float(sin(Double(i + tensor)))))
    }

    @Test(arguments: guards.indices, [ScalarType.bfloat16, .float32])
    func likeFloat32(_ index: Int, gradient: ScalarType) throws {
        let narrow = BFloat16Tensors(sizes: Self.sizes, gradient: gradient) { _, i in Float(cos(Double(i))) }
        let wide = Tensors<Float>(narrow.floats)
        func optimizer(_ specs: [ParameterSpec]) throws -> PerturbedOptimizer {
            let optimizer = try PerturbedOptimizer(
                parameters: specs, equation: Self.equation(Self.guards[index]), seed: 6,
                engine: Engine(parallel: .dispatch(threads: 2), blockSize: 2048, serialBelow: 0))
            optimizer.reportsEffectivePerturbation = true
            return optimizer
        }
        let (first, second) = (try optimizer(narrow.specs()), try optimizer(wide.specs()))
        for step in 0..<3 {
            narrow.setGradient(Self.gradient)
            wide.setGradient(Self.gradient)
            let reports = (
                try first.step(narrow.buffers, measure: true), try second.step(wide.buffers, measure: true)
            )
            #expect(reports.0 == reports.1, "step \(step)")
            let rounded = wide.all.map { $0.map { BFloat16($0) } }
            #expect(narrow.bits == rounded.map { $0.map(\.bitPattern) }, "step \(step)")
            // The next step starts from the same numbers.
            for t in rounded.indices { wide[t] = rounded[t].map { Float($0) } }
        }
        #expect(first.counts == second.counts && first.controllers == second.controllers)
        let counts = first.counts
        #expect(
            counts.adaptivelyClipped + counts.trustLimited + counts.varianceBounded + counts.bounded
                + counts.clipped
                >= 3)
    }
}
