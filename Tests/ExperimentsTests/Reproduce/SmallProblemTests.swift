import Experiments
import Foundation
import TestSupport
import Testing

/// The small problems of `peo reproduce` against their definitions.
@Suite struct SmallProblemTests {
    private typealias Gradient = (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Void

    private static func call<Result>(_ x: [Double], _ body: (UnsafeBufferPointer<Double>) -> Result) -> Result
    {
        x.withUnsafeBufferPointer(body)
    }

    private static func gradient(_ x: [Double], _ body: Gradient) -> [Double] {
        var g = [Double](repeating: .nan, count: x.count)
        g.withUnsafeMutableBufferPointer { g in x.withUnsafeBufferPointer { body($0, g) } }
        return g
    }

    /// Central differences.
    private static func slope(_ x: [Double], _ value: (UnsafeBufferPointer<Double>) -> Double) -> [Double] {
        x.indices.map { j in
            let h = 1e-5
            var (up, down) = (x, x)
            up[j] += h
            down[j] -= h
            return (call(up, value) - call(down, value)) / (2 * h)
        }
    }

    private static let tau = OctopusFunction.tau

    /// A point where runs go: some coordinates past their saddle, one on its way, the others small; of any sign.
    private static func point(_ d: Int, _ generator: inout SeededGenerator) -> [Double] {
        let stage = Int.random(in: 0...d, using: &generator)
        return (0..<d).map { j in
            let range =
                j < stage ? 2.01 * tau...6 * tau : j == stage ? 0.01...1.99 * tau : 0.001...0.99 * tau
            return Double.random(in: range, using: &generator) * (Bool.random(using: &generator) ? 1 : -1)
        }
    }

    @Test func theOctopusGradientIsItsSlope() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let d = Int.random(in: 1...6, using: &generator)
            let function = OctopusFunction(
                dimensions: d, held: .random(in: 1...4, using: &generator),
                leaving: .random(in: 0.5...1, using: &generator))
            let x = Self.point(d, &generator)
            let exact = Self.gradient(x, function.gradient)
            let measured = Self.slope(x, function.value)
            for (a, b) in zip(exact, measured) {
                #expect(abs(a - b) < 1e-5 * max(1, abs(a)), "seed 7: \(x): \(exact), \(measured)")
            }
        }
    }

    /// f and ∇f go on without a jump where one coordinate comes past τ and 2τ.
    @Test(arguments: [1.0, 2.0]) func theOctopusHasNoJumps(place: Double) {
        let function = OctopusFunction(dimensions: 4, held: 2, leaving: 1)
        var (below, above) = ([4.2 * Self.tau, 0, 0.4, 0.1], [4.2 * Self.tau, 0, 0.4, 0.1])
        (below[1], above[1]) = (place * Self.tau * (1 - 1e-12), place * Self.tau * (1 + 1e-12))
        #expect(abs(Self.call(below, function.value) - Self.call(above, function.value)) < 1e-8)
        let gradients = (Self.gradient(below, function.gradient), Self.gradient(above, function.gradient))
        for (a, b) in zip(gradients.0, gradients.1) { #expect(abs(a - b) < 1e-8, "\(gradients)") }
    }

    /// d saddle points in a row, each left downhill along the next coordinate, and a minimum at (4τ, 4τ, …).
    @Test func theOctopusHasItsSaddles() {
        let function = OctopusFunction(dimensions: 3, held: 1.5, leaving: 1)
        var values: [Double] = []
        for passed in 0...3 {
            let x = (0..<3).map { $0 < passed ? 4 * Self.tau : 0 }
            let g = Self.gradient(x, function.gradient)
            #expect(g.allSatisfy { abs($0) < 1e-12 }, "\(x): \(g)")
            let value = Self.call(x, function.value)
            for j in 0..<3 {
                var moved = x
                moved[j] += 1e-3
                let curvature = 2 * (Self.call(moved, function.value) - value) / 1e-6
                let expected = j == passed ? -2.0 : 3
                #expect(abs(curvature - expected) < 1e-2, "\(x), \(j): \(curvature)")
            }
            values.append(value)
        }
        let steps = zip(values, values.dropFirst()).map { $0 - $1 }
        #expect(values[0] == 0 && steps.allSatisfy { abs($0 - steps[0]) < 1e-9 && $0 > 0 }, "\(values)")
    }

    @Test func sparseRegressionHasItsGradientAndSolution() {
        var generator = SeededGenerator(seed: 3)
        let problem = SparseRegression(dimensions: 12, ones: 3, points: 5, seed: 3)
        let v = (0..<12).map { _ in Double.random(in: -1...1, using: &generator) }
        let exact = Self.gradient(v) { problem.gradient(at: $0, into: $1) }
        for (a, b) in zip(exact, Self.slope(v, problem.loss)) { #expect(abs(a - b) < 1e-7, "seed 3") }

        // One point's gradients, with errors of the labels that cancel, have the mean of all.
        var mean = [Double](repeating: 0, count: 12)
        for i in 0..<5 {
            for error in [-1.0, 1] {
                let one = Self.gradient(v) {
                    problem.gradient(at: $0, point: i, labelError: error, into: $1)
                }
                for j in 0..<12 { mean[j] += one[j] / 10 }
            }
        }
        for (a, b) in zip(exact, mean) { #expect(abs(a - b) < 1e-12) }

        let solution = (0..<12).map { $0 < 3 ? -1.0 : 0 }
        #expect(Self.call(solution, problem.error) == 0 && abs(Self.call(solution, problem.loss)) < 1e-24)
        #expect(Self.call([Double](repeating: 1, count: 12), problem.error) == 9)
    }
}
