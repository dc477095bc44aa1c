import Foundation
import PerturbedEquations
import Testing

/// A perturbation that is not finite, or makes g + δ so, touches nothing; and what is finite always passes.
@Suite struct OverflowTests {
    static let sizes = [1, 70, 40_000]

    /// δ is NaN at one element of one tensor at one step.
    struct Faulty: Perturbation, Codable {
        var tensor: Int
        var element: Int
        var value: Float

        static let catalogueEntry = CatalogueEntry(
            name: "faulty", summary: "A fault.", equation: "δ = NaN", parameters: [], source: "none needed")

        func add(
            to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
        ) {
            guard site.step == 1, gradient.count == min(OverflowTests.sizes[tensor], 16384) else { return }
            if element < delta.count { delta[element] += value }
        }
    }

    static func run<S: EquationScalar>(
        _ terms: [any Perturbation], _ stability: Stability = Stability(), gradient: S, _: S.Type
    ) throws -> (touched: Bool, report: StepReport, counts: StabilityCounts, finite: Bool) {
        let tensors = Tensors<S>(sizes: sizes) { _, i in S(i % 5) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1e-3, momentum: 0.9), perturbation: terms, stability: stability),
            seed: 1)
        tensors.setGradient { _, i, _ in S(i % 3) / 10 }
        try optimizer.step(tensors.buffers)
        let before = tensors.bits
        let state = try optimizer.stateBytes()
        tensors.setGradient { tensor, i, _ in tensor == 2 && i == 30_000 ? gradient : S(i % 3) / 10 }
        let report = try optimizer.step(tensors.buffers)
        let touched = try tensors.bits != before || optimizer.stateBytes() != state
        return (touched, report, optimizer.counts, tensors.all.joined().allSatisfy { $0.isFinite })
    }

    @Test func faultyTermsAreRefused() throws {
        for value in [Float.nan, .infinity, -.infinity] {
            for (tensor, element) in [(0, 0), (1, 69), (2, 5), (2, 16_383)] {
                for stability in [
                    Stability(), Stability(perturbationToGradient: 0.5), Stability(clipNorm: 1),
                    Stability(varianceBound: 0.1),
                ] {
                    let terms: [any Perturbation] = [
                        Gaussian(sigma: 0.1), Faulty(tensor: tensor, element: element, value: value),
                    ]
                    let result = try Self.run(terms, stability, gradient: 1 as Float, Float.self)
                    #expect(
                        result.report.outcome == .skippedNonFinite && !result.touched, "\(value), \(tensor)")
                    #expect(result.counts.skipped == 1 && result.counts.overflowed == 1)
                }
            }
        }
    }

    /// Strengths and gradients near the largest float: refused exactly where the sum overflows.
    @Test func nearTheLargest() throws {
        let most = Float.greatestFiniteMagnitude
        let cases: [([any Perturbation], Float, StepReport.Outcome)] = [
            ([Gaussian(sigma: 1e35)], 1, .applied), ([Adaptive(alpha: 0.5, .identity)], most / 2, .applied),
            ([Adaptive(alpha: 1.1, .identity)], most / 2, .skippedNonFinite),
            ([Adaptive(alpha: 1, .square)], 1e18, .applied),
            ([Adaptive(alpha: 1, .square)], 1e20, .skippedNonFinite),
            ([Adaptive(alpha: 1e-10, .square)], 1e20, .skippedNonFinite),
            ([Adaptive(alpha: -0.5, .identity)], most, .applied),
            ([WeightPenalty(l2: 1)], most, .applied),
            ([Adaptive(alpha: 1) { $0 * 2 }], 1e38, .applied),
            ([Adaptive(alpha: 1) { $0 * 3 }], 1e38, .skippedNonFinite),
        ]
        for (terms, gradient, outcome) in cases {
            let result = try Self.run(terms, gradient: gradient, Float.self)
            #expect(result.report.outcome == outcome, "\(terms) at \(gradient)")
            #expect(result.touched == (outcome == .applied) && result.finite, "\(terms) at \(gradient)")
        }
        // Wide normals at the edge of float32, in float64 far from it.
        #expect(try Self.run([Gaussian(sigma: 2e38)], gradient: 1, Double.self).report.outcome == .applied)
    }

    /// Without the guard the fault goes through.
    @Test func withoutTheGuard() throws {
        let result = try Self.run(
            [Faulty(tensor: 1, element: 3, value: .nan)], .none, gradient: 1, Float.self)
        #expect(result.report.outcome == .applied && !result.finite && result.counts.skipped == 0)
    }

    /// Every built-in term with settings of every day has a bound, so that it costs nothing; the bound holds.
    @Test func theBoundsHold() throws {
        for term in [
            Gaussian(sigma: 0.7), Uniform(sigma: 0.7), Laplace(sigma: 0.7), Orthogonal(sigma: 0.7),
            GradientScaled(alpha: 0.7), DropNoise(probability: 0.7), WeightPenalty(l1: 0.7, l2: 0.7),
            Adaptive(alpha: -0.7, .identity), Adaptive(alpha: 0.7, .sign), Adaptive(alpha: 0.7, .tanh),
            Adaptive(alpha: 0.7, .root), Adaptive(alpha: 0.7, .square), Adaptive(alpha: 0.7, .normalised),
        ] as [any Perturbation] {
            var theta = (0..<50_000).map { 3 * sin(Double($0)) }
            let g = (0..<50_000).map { 2 * cos(Double(3 * $0)) }
            let before = theta
            let probe = Probe(term: term)
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [50_000], scalar: .float64)],
                equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: [term]), seed: 1)
            try optimizer.step(&theta, gradient: g, measure: true)
            let bound = try #require(probe.bound, "\(term)")
            for i in g.indices {
                let delta = abs(before[i] - theta[i] - g[i])
                #expect(delta <= bound.constant + bound.perGradient * abs(g[i]) + 1e-12, "\(term) at \(i)")
            }
        }
    }

    /// Asks a term for its bound at a site like the engine's.
    struct Probe {
        let bound: ElementBound?

        init(term: any Perturbation) {
            bound = term.bound(at: .like(count: 50_000, largestGradient: 2))
        }
    }
}
