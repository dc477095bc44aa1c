import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// The adaptive clip against a plain implementation of its equation, over every kind of shape.
@Suite struct AdaptiveClipTests {
    static let shapes = [[40, 300], [5], [3, 2, 4], [], [700, 2], [1, 1], [0, 4], [2, 1000]]

    /// A step of SGD with η = 1; returns g as it reached the rule.
    static func run<S: EquationScalar>(
        _ stability: Stability, theta: [[S]], gradient: [[S]], blockSize: Int, measure: Bool = false
    ) throws -> (clipped: [[Double]], report: StepReport, counts: StabilityCounts) {
        let tensors = Tensors<S>(theta)
        tensors.setGradient(gradient)
        let optimizer = try PerturbedOptimizer(
            parameters: shapes.enumerated().map { ParameterSpec("p\($0)", shape: $1, scalar: S.scalarType) },
            equation: PerturbedEquation(rule: SGD(learningRate: 1), stability: stability), seed: 1,
            engine: Engine(parallel: .dispatch(threads: 2), blockSize: blockSize, serialBelow: 0))
        let report = try optimizer.step(tensors.buffers, measure: measure)
        let clipped = theta.indices.map { t in
            theta[t].indices.map { Double(theta[t][$0]) - Double(tensors[t][$0]) }
        }
        return (clipped, report, optimizer.counts)
    }

    static func random(_ random: inout SeededGenerator, scale: Double) -> [[Double]] {
        shapes.map { shape in
            (0..<shape.reduce(1, *)).map { _ in scale * .random(in: -1...1, using: &random) }
        }
    }

    /// g·min(1, λ·max(‖θ‖, ε)/‖g‖), by rows of the first axis.
    static func expected(
        theta: [[Double]], gradient: [[Double]], ratio: Double, floor: Double, unitWise: Bool
    ) -> [[Double]] {
        shapes.indices.map { t in
            let rows = unitWise && shapes[t].count >= 2 ? shapes[t][0] : 1
            guard rows > 0, !gradient[t].isEmpty else { return [] }
            let length = gradient[t].count / rows
            return (0..<rows).flatMap { row in
                let range = row * length..<(row + 1) * length
                func norm(_ x: [Double]) -> Double {
                    x[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
                }
                let factor = min(1, ratio * max(norm(theta[t]), floor) / norm(gradient[t]))
                return gradient[t][range].map { $0 * factor }
            }
        }
    }

    @Test(arguments: [32, 96, 16384], [true, false])
    func followsTheEquation(blockSize: Int, unitWise: Bool) throws {
        var random = SeededGenerator()
        for ratio in [0.01, 0.3, 1.5] {
            let theta = Self.random(&random, scale: 0.5)
            let gradient = Self.random(&random, scale: 1)
            let setting = AdaptiveClip(ratio: Scheduled(ratio), floor: 0.1, unitWise: unitWise)
            let result = try Self.run(
                Stability(clipAdaptive: setting), theta: theta, gradient: gradient, blockSize: blockSize)
            let expected = Self.expected(
                theta: theta, gradient: gradient, ratio: ratio, floor: 0.1, unitWise: unitWise)
            for (a, b) in zip(result.clipped.joined(), expected.joined()) {
                #expect(abs(a - b) < 1e-14, "seed \(random.seed), ratio \(ratio)")
            }
            #expect(result.counts.adaptivelyClipped == 1 && result.counts.clipped == 0)
            let norm = expected.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(abs(result.report.gradientNorm! / norm - 1) < 1e-12)
        }
    }

    /// After the other clips: the norms that count are those which they leave.
    @Test func afterTheOthers() throws {
        var random = SeededGenerator()
        let theta = Self.random(&random, scale: 0.5)
        let gradient = Self.random(&random, scale: 1)
        let others = Stability(clipValue: 0.7, clipNorm: 10, clipGlobalNorm: 20)
        var both = others
        both.clipAdaptive = AdaptiveClip(ratio: 0.2)
        let first = try Self.run(others, theta: theta, gradient: gradient, blockSize: 96).clipped
        let result = try Self.run(both, theta: theta, gradient: gradient, blockSize: 96).clipped
        let expected = Self.expected(theta: theta, gradient: first, ratio: 0.2, floor: 1e-3, unitWise: true)
        for (a, b) in zip(result.joined(), expected.joined()) { #expect(abs(a - b) < 1e-14) }
    }

    @Test func whatIsExcludedStays() throws {
        var random = SeededGenerator()
        let theta = Self.random(&random, scale: 0.5).map { $0.map(Float.init) }
        let gradient = Self.random(&random, scale: 1).map { $0.map(Float.init) }
        func run(_ stability: Stability) throws -> [[Double]] {
            try Self.run(stability, theta: theta, gradient: gradient, blockSize: 64).clipped
        }
        let free = try run(Stability())
        let result = try run(
            Stability(clipAdaptive: AdaptiveClip(ratio: 0.01, exclude: ["p0", "p[34]", "p4*"])))
        #expect(result[0] == free[0] && result[4] == free[4])
        #expect(result[1] != free[1] && result[3] != free[3])
        // Not a bit changes where nothing is clipped, and nothing is counted.
        let loose = try Self.run(
            Stability(clipAdaptive: AdaptiveClip(ratio: 1e6)), theta: theta, gradient: gradient, blockSize: 64
        )
        #expect(loose.clipped == free && loose.counts.adaptivelyClipped == 0)
    }
}
