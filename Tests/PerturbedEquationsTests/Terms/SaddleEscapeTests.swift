import Foundation
import PerturbedEquations
import Testing

@Suite struct SaddleEscapeTests {
    /// The steps at which θ moves, and how far, under gradients of the given norms.
    static func kicks(
        _ norms: [Double], _ term: SaddleEscape, sizes: [Int] = [3, 2], seed: UInt64 = 2
    ) throws -> [Double] {
        let tensors = Tensors<Double>(sizes: sizes) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: term), seed: seed)
        return try norms.map { norm in
            for index in sizes.indices { tensors[index] = [Double](repeating: 0, count: sizes[index]) }
            // All of the gradient in one element, which shows that the norm is over all tensors.
            tensors.setGradient { t, i, _ in t == 1 && i == 0 ? norm : 0 }
            try optimizer.step(tensors.buffers)
            var theta = tensors.all
            theta[1][0] += norm
            return theta.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
    }

    /// Only where the gradient is small, and not again before more than the threshold of steps has passed.
    @Test func thresholds() throws {
        let norms = [2, 0.5, 0.1, 0.1, 0.1, 3, 0.1, 0.1, 0.1, 0.1, 0.1]
        let kicks = try Self.kicks(norms, SaddleEscape(radius: 1, gradientThreshold: 0.5, stepThreshold: 3))
        let steps = kicks.indices.filter { kicks[$0] > 1e-9 }
        #expect(steps == [1, 6, 10])
        #expect(kicks.allSatisfy { $0 <= 1 + 1e-9 })
    }

    /// Uniform in the ball: (‖δ‖/r)^d is uniform, the directions have no mean.
    @Test(arguments: [[1, 1], [3, 2], [4, 7]])
    func uniformInTheBall(_ sizes: [Int]) throws {
        let d = Double(sizes.reduce(0, +))
        let steps = 4000
        let kicks = try Self.kicks(
            [Double](repeating: 0, count: steps),
            SaddleEscape(radius: 2, gradientThreshold: 0, stepThreshold: 0), sizes: sizes)
        let sample = kicks.map { Float(pow($0 / 2, d)) }.sorted()
        #expect(kolmogorovSmirnov(sorted: sample) { min(max($0, 0), 1) } < 2.7)
    }

    /// At a strict saddle with nothing else to move it, θ escapes to a minimum.
    @Test func leavesASaddle() throws {
        func descend(_ terms: [any Perturbation]) throws -> [Double] {
            let tensors = Tensors<Double>(sizes: [2]) { _, _ in 0 }
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(rule: SGD(learningRate: 0.1), perturbation: terms), seed: 5)
            for _ in 0..<400 {
                // L = ½x² + ¼y⁴ − ½y²: a saddle at 0, minima at y = ±1.
                tensors.setGradient { _, i, theta in i == 0 ? theta : theta * theta * theta - theta }
                try optimizer.step(tensors.buffers)
            }
            return tensors[0]
        }
        #expect(try descend([]) == [0, 0])
        let theta = try descend([SaddleEscape(radius: 0.1, gradientThreshold: 1e-3, stepThreshold: 1000)])
        #expect(abs(abs(theta[1]) - 1) < 1e-3 && abs(theta[0]) < 1e-3)
    }
}
