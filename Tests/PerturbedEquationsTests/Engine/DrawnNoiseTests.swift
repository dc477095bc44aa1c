import CPerturbationKernels
import PerturbedEquations
import TestSupport
import Testing

/// A rule that draws its own noise gives the same bits as one that reads a stored δ.
@Suite struct DrawnNoiseTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.1), SGD(learningRate: 0.1, weightDecay: 0.01), Momentum(learningRate: 0.1),
        Momentum(learningRate: 0.1, weightDecay: 0.1), Nesterov(learningRate: 0.1), Adam(),
        Adam(weightDecay: 0.1), Adam(amsgrad: true), AdamW(),
    ]

    /// Measured steps store δ, to take its norm; the others need not.
    @Test(arguments: rules.indices, [1, 31, 64, 100, 16384 + 70, 50_000])
    func measuringChangesNothing(rule: Int, count: Int) throws {
        var random = SeededGenerator()
        let start = (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        let gradients = (0..<3).map { _ in
            (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        }
        func run(measure: Bool, blockSize: Int) throws -> [Float] {
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("theta", shape: [count])],
                equation: PerturbedEquation(rule: Self.rules[rule], perturbation: Gaussian(sigma: 0.3)),
                seed: 7, engine: Engine(parallel: .dispatch(threads: 2), blockSize: blockSize))
            var theta = start
            for gradient in gradients { try optimizer.step(&theta, gradient: gradient, measure: measure) }
            return theta
        }
        let stored = try run(measure: true, blockSize: 16384)
        #expect(stored != start)
        for blockSize in [32, 96, 16384] {
            #expect(
                try run(measure: false, blockSize: blockSize) == stored,
                "seed \(random.seed), blocks of \(blockSize)")
        }
    }

    /// Where the upper half of the element numbers changes, which no tensor of a test is large enough to reach.
    @Test(arguments: [(1 << 34) - 70, (1 << 34) - 64, (1 << 34) - 300, 5, 37] as [UInt64])
    func kernelAtAnyElement(first: UInt64) {
        let count = 300
        var stream = pk_stream(key: (1, 2), step: 3, parameter: 4, term: 5)
        var rule = pk_sgd(rate: 0.5, penalty: 0.25, decay: 0.125, momentum: 0, intake: 1, nesterov: 0)
        let gradient = (0..<count).map { Float($0) / 100 }
        for level in SIMDLevel.supported {
            let kernels = Float.kernels(level).pointee
            var delta = [Float](repeating: 0, count: count)
            kernels.noise(PK_NORMAL, PK_STORE, &delta, nil, count, 0.3, 0, &stream, first, nil)
            var expected = [Float](repeating: 1, count: count)
            var found = expected
            gradient.withUnsafeBufferPointer { g in
                func block(_ theta: UnsafeMutablePointer<Float>) -> pk_block {
                    pk_block(
                        parameters: theta, gradient: g.baseAddress, delta: nil, draw: nil,
                        state: (nil, nil, nil, nil), count: count, gradient_scale: 1, delta_scale: 0.5,
                        noise: nil)
                }
                expected.withUnsafeMutableBufferPointer { theta in
                    delta.withUnsafeBufferPointer { delta in
                        var stored = block(theta.baseAddress!)
                        stored.delta = UnsafeRawPointer(delta.baseAddress)
                        kernels.sgd(&stored, &rule)
                    }
                }
                found.withUnsafeMutableBufferPointer { theta in
                    withUnsafePointer(to: stream) { stream in
                        var draw = pk_draw(stream: stream, first: first, scale: 0.3)
                        withUnsafePointer(to: &draw) {
                            var drawn = block(theta.baseAddress!)
                            drawn.draw = $0
                            kernels.sgd_drawn(&drawn, &rule)
                        }
                    }
                }
            }
            #expect(found == expected, "\(level)")
        }
    }
}
