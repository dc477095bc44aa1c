import Foundation
import PerturbedEquations
import Testing

/// What clipping leaves of the gradient, read off an SGD step with η = 1 from θ = 0: ĝ = −θ.
@Suite struct ClippingTests {
    static func clipped<S: EquationScalar>(
        _ stability: Stability, _ gradient: [[S]], _ terms: [any Perturbation] = []
    ) throws -> (gradient: [[S]], report: StepReport, counts: StabilityCounts) {
        let tensors = Tensors<S>(gradient.map { $0.map { _ in 0 } })
        tensors.setGradient(gradient)
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: terms, stability: stability), seed: 1)
        let report = try optimizer.step(tensors.buffers, measure: true)
        return (tensors.all.map { $0.map { -$0 } }, report, optimizer.counts)
    }

    static func norm<S: BinaryFloatingPoint>(_ x: some Sequence<S>) -> Double {
        x.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test func byValue() throws {
        let result = try Self.clipped(
            Stability(clipValue: 0.5), [[-3, -0.5, -0.25, 0, 0.4, 0.5, 7] as [Double]])
        #expect(result.gradient == [[-0.5, -0.5, -0.25, 0, 0.4, 0.5, 0.5]])
        #expect(result.counts.clippedByValue == 1 && result.counts.clipped == 0)
    }

    /// Steps in which an element was clamped are counted, whichever pass sees g first, and only those.
    @Test(arguments: [(false, false), (true, false), (true, true)], [nil, 3.0, 0.5])
    func byValueIsCounted(_ step: (isGuarded: Bool, measure: Bool), largest: Double?) throws {
        let size = largest ?? 3
        let tensors = Tensors<Float>([[0, 0, 0], [], [0]])
        tensors.setGradient([[0.1, Float(-size), 0], [], [0.2]])
        for (limit, count) in [(2.0, size > 2 ? 1 : 0), (size, 0)] {
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 1), perturbation: Gaussian(sigma: 1),
                    stability: Stability(clipValue: Scheduled(limit), skipNonFinite: step.isGuarded)), seed: 1
            )
            let buffers = tensors.buffers.enumerated().map { index, buffer in
                ParameterBuffer(
                    parameters: buffer.parameters, gradient: buffer.gradient,
                    largestGradient: largest.map { index == 0 ? $0 : 0.2 })
            }
            try optimizer.step(buffers, measure: step.measure)
            #expect(optimizer.counts.clippedByValue == count, "\(limit)")
        }
    }

    @Test func byNormOfEachTensor() throws {
        let result = try Self.clipped(
            Stability(clipNorm: 1), [[3, 4], [0.3, 0.4], [0, 0], [-5, 0]] as [[Double]])
        #expect(result.gradient[1...3] == [[0.3, 0.4], [0, 0], [-1, 0]])
        #expect(abs(result.gradient[0][0] - 0.6) < 1e-15 && abs(result.gradient[0][1] - 0.8) < 1e-15)
        #expect(result.report.clipScale == 1, "that is the global factor")
        #expect(result.counts.clipped == 1)
    }

    @Test func byGlobalNorm() throws {
        let result = try Self.clipped(Stability(clipGlobalNorm: 6.5), [[3, 4], [12]] as [[Double]])
        #expect(result.gradient == [[1.5, 2], [6]])
        #expect(result.report.clipScale == 0.5)
        #expect(abs(result.report.gradientNorm! - 6.5) < 1e-14)
        let below = try Self.clipped(Stability(clipGlobalNorm: 13), [[3, 4], [12]] as [[Double]])
        #expect(below.gradient == [[3, 4], [12]])
        #expect(below.report.clipScale == 1 && below.counts.clipped == 0)
    }

    /// Values first, then tensors, then all: the order is part of the definition.
    @Test func inOrder() throws {
        let result = try Self.clipped(
            Stability(clipValue: 4, clipNorm: 5, clipGlobalNorm: 1), [[3, 100], [-400, 0.0]] as [[Double]])
        // Values: (3, 4), (−4, 0). Tensors: norms 5, 4: unchanged. All: √41.
        let expected = [[3, 4], [-4, 0]].map { $0.map { $0 / 41.0.squareRoot() } }
        for (a, b) in zip(result.gradient.joined(), expected.joined()) { #expect(abs(a - b) < 1e-15) }
    }

    /// A gradient whose squares overflow float32, and one whose norm does, are clipped like any other.
    @Test(arguments: [1e20, 1e30, 3e38] as [Float])
    func hugeGradients(size: Float) throws {
        let gradient = [(0..<100_000).map { $0 % 2 == 0 ? size : -size / 2 }, [size]]
        for stability in [
            Stability(clipGlobalNorm: 2), Stability(clipNorm: 2), Stability(clipValue: 2, clipNorm: 2),
        ] {
            let result = try Self.clipped(stability, gradient)
            let norm =
                stability.clipGlobalNorm == nil
                ? Self.norm(result.gradient[0]) : Self.norm(result.gradient.joined())
            #expect(abs(norm / 2 - 1) < 1e-6, "\(norm)")
            if stability.clipValue == nil {
                #expect(abs(result.gradient[0][0] / result.gradient[0][1] + 2) < 1e-6)
            }
        }
    }

    /// A float64 gradient with no norm (its squares overflow) is skipped where a norm is needed, and only
    /// there: measuring alone changes nothing.
    @Test func aNormThatOverflows() throws {
        let gradient: [[Double]] = [[1e200, 1], [2]]
        for (stability, terms) in [
            (Stability(clipGlobalNorm: 1), []), (Stability(clipNorm: 1), []),
            (Stability(), [Gaussian(sigma: .relative(0.1))]),
            (Stability(perturbationToGradient: 0.1), [Gaussian(sigma: 1)]),
        ] as [(Stability, [any Perturbation])] {
            let result = try Self.clipped(stability, gradient, terms)
            #expect(result.report.outcome == .skippedNonFinite)
            #expect(result.counts.skipped == 1)
            #expect(result.gradient.joined().allSatisfy { $0 == 0 })
        }
        let plain = try Self.clipped(Stability(), gradient)
        #expect(plain.report.outcome == .applied && plain.gradient == gradient)
    }

    /// Limits may be scheduled.
    @Test func scheduledLimit() throws {
        var theta = [0.0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1),
                stability: Stability(
                    clipGlobalNorm: Scheduled(LinearSchedule(from: 4, to: 1, steps: 3)))), seed: 1)
        var seen: [Double] = []
        for _ in 0..<4 {
            theta = [0]
            try optimizer.step(&theta, gradient: [100])
            seen.append(-theta[0])
        }
        #expect(seen == [4, 3, 2, 1])
        #expect(optimizer.counts.clipped == 4)
    }
}
