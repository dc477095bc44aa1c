import Foundation
import PerturbedEquations
import Testing

/// Noise shaped by the second moment and by the Hessian's diagonal.
@Suite struct CurvatureTests {
    /// θ ← −δ, with a state tensor named as a second moment that holds what the test puts there (through g).
    struct Expose: UpdateRule {
        static let catalogueEntry = CatalogueEntry(
            name: "expose", summary: "θ ← −δ; v ← g", equation: "θ ← −δ", parameters: [], source: "")
        var learningRate: Scheduled = 1
        var stateNames: [String] { ["v"] }
        var secondMomentName: String? { "v" }

        func update(_ block: UpdateBlock<Float>, at time: RuleTime) { expose(block) }
        func update(_ block: UpdateBlock<Double>, at time: RuleTime) { expose(block) }

        private func expose<S: EquationScalar>(_ block: UpdateBlock<S>) {
            for i in block.parameters.indices {
                block.parameters[i] = -(block.delta?[i] ?? 0)
                block.state[0][i] = block.gradient[i]
            }
        }
    }

    /// Mean square of δ of each element over `draws` steps; h through the state or the signal.
    static func meanSquares(_ term: CurvatureShaped, h: [Double], draws: Int = 3000) throws -> [Double] {
        let tensors = Tensors<Double>([h.map { _ in 0 }])
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: PerturbedEquation(rule: Expose(), perturbation: term),
            seed: 4,
            engine: Engine(blockSize: 32))
        tensors.setGradient([h])
        var sums = h.map { _ in 0.0 }
        try h.withUnsafeBytes { bytes in
            var buffer = tensors.buffers[0]
            buffer.signals[.hessianDiagonal] = UnsafeRawPointer(bytes.baseAddress!)
            for step in 0...draws {
                try optimizer.step([buffer])
                // At the first step the state is still zero.
                if step > 0 { for i in h.indices { sums[i] += tensors[0][i] * tensors[0][i] } }
            }
        }
        return sums.map { $0 / Double(draws) }
    }

    /// σ²c² with c ∝ (√(|h|/mean|h|) + ε)^(2p), mean(c²) = 1: an independent computation, over elements of many sizes,
    /// a zero and a negative one.
    @Test(arguments: CurvatureShaped.Source.allCases, [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1])
    func shape(_ source: CurvatureShaped.Source, _ exponent: Double) throws {
        var h = (0..<70).map { pow(10, Double($0 % 7) / 2 - 2) }
        h[3] = 0
        if source == .hessianDiagonal { h[5] = -2 }
        let term = CurvatureShaped(sigma: 0.3, source: source, exponent: exponent, damping: 0.2)
        let draws = 3000
        let measured = try Self.meanSquares(term, h: h, draws: draws)
        let mean = h.reduce(0) { $0 + abs($1) } / Double(h.count)
        let squares = h.map { pow((abs($0) / mean).squareRoot() + 0.2, 4 * exponent) }
        let scale = Double(h.count) / squares.reduce(0, +)
        for (measured, square) in zip(measured, squares) {
            let expected = 0.09 * square * scale
            // A mean of n squares of normals has the relative error √(2/n).
            #expect(abs(measured / expected - 1) < 5 * (2 / Double(draws)).squareRoot())
        }
        let total = measured.reduce(0, +) / Double(h.count)
        #expect(abs(total / 0.09 - 1) < 0.1)
    }

    /// Without curvature the noise is plain, and the same as the Gaussian's.
    @Test(arguments: [-0.5, 0.5])
    func withoutCurvatureItIsPlain(_ exponent: Double) throws {
        func run(_ term: any Perturbation) throws -> [[UInt64]] {
            let tensors = Tensors<Float>(sizes: [100]) { _, _ in 1 }
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(), equation: PerturbedEquation(rule: Adam(), perturbation: term),
                seed: 4)
            tensors.setGradient { _, i, _ in Float(i) }
            try optimizer.step(tensors.buffers)
            return tensors.bits
        }
        #expect(
            try run(CurvatureShaped(sigma: 0.3, exponent: exponent)) == run(Gaussian(sigma: 0.3)))
    }

    /// Infinite and undefined curvatures give finite noise.
    @Test func strangeCurvature() throws {
        for h in [[.infinity, 1, .nan, 0], [1e300, 1e-300, 0, .leastNonzeroMagnitude]] as [[Double]] {
            for exponent in [-1, 0.5, 1] {
                let term = CurvatureShaped(sigma: 1, source: .hessianDiagonal, exponent: exponent)
                #expect(try Self.meanSquares(term, h: h, draws: 3).allSatisfy(\.isFinite))
            }
        }
    }

    @Test func refusals() throws {
        func path(_ term: CurvatureShaped) -> String? {
            do {
                try term.validate()
                return nil
            } catch { return (error as? ConfigurationError)?.path }
        }
        #expect(path(CurvatureShaped(sigma: 1, exponent: 0.3)) == "exponent")
        #expect(path(CurvatureShaped(sigma: 1, damping: 0)) == "damping")
        #expect(path(CurvatureShaped(sigma: 1, estimate: HessianEstimate(every: 0))) == "every")
        let error = #expect(throws: ConfigurationError.self) {
            _ = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [1])],
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 1),
                    perturbation: CurvatureShaped(sigma: 1, source: .hessianDiagonal),
                    CurvatureShaped(
                        sigma: 1, source: .hessianDiagonal, estimate: HessianEstimate(every: 3))), seed: 1)
        }
        #expect(error?.message.contains("agree") == true)
    }
}
