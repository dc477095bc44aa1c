import CPerturbationKernels
import PerturbedEquations
import TestSupport
import Testing

/// A rule that makes δ itself gives the same bits as one that reads a stored δ.
@Suite struct DrawnNoiseTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.1), SGD(learningRate: 0.1, weightDecay: 0.01), Momentum(learningRate: 0.1),
        Momentum(learningRate: 0.1, weightDecay: 0.1), Nesterov(learningRate: 0.1), Adam(),
        Adam(weightDecay: 0.1), Adam(amsgrad: true), AdamW(),
    ]

    static let noises: [[any Perturbation]] = [
        // No noise: whole registers and what is left of a block.
        [],
        [Gaussian(sigma: 0.3)], [Uniform(sigma: 0.3)], [Laplace(sigma: 0.3)], [GradientScaled(alpha: 0.3)],
        [DropNoise(probability: 0.3)], [Orthogonal(sigma: 0.3)], [WeightPenalty(l2: 0.3)],
        [WeightPenalty(l2: 0.1, group: 0.2)], [Gaussian(sigma: 0.3), WeightPenalty(l2: 0.1)],
        [WeightPenalty(l2: 0.1), Gaussian(sigma: 0.3)],
        [Gaussian(sigma: 0.3), GradientScaled(alpha: 0.3), WeightPenalty(l2: 0.1)],
        [GradientScaled(alpha: 0.3), Orthogonal(sigma: 0.2), Laplace(sigma: 0.1)],
        // More than a rule takes, and one that it does not know.
        [Orthogonal(sigma: 0.2), Orthogonal(sigma: 0.3), Uniform(sigma: 0.1)],
        [Gaussian(sigma: 0.3), WeightPenalty(l1: 0.1)], [Adaptive(alpha: 0.3, .tanh)],
        [Adaptive(alpha: 0.3, .sign), Adaptive(alpha: 0.1, .square), Adaptive(alpha: -0.2, .root)],
        [Adaptive(alpha: 0.3, .normalised), Adaptive(alpha: 0.1, .identity)], [Anchor(strength: 0.2)],
        [Gaussian(sigma: 0.1), Anchor(strength: 0.2, radius: 0.01)], [Learned(sigma: 0.3)],
        [SaddleEscape(radius: 30, gradientThreshold: 1e9, stepThreshold: 1)],
        [SaddleEscape(radius: 30, gradientThreshold: 0, stepThreshold: 1)],
        [Adaptive(alpha: 0.1) { $0 / 2 }, Gaussian(sigma: 0.1)], [GradDrop()],
        [GradientCovariance(scale: 0.3)],
        [CurvatureShaped(sigma: 0.3, source: .hessianDiagonal), Gaussian(sigma: 0.1)],
        [CurvatureShaped(sigma: 0.3, source: .hessianDiagonal, exponent: -0.5)],
        [CurvatureShaped(sigma: 0.3, exponent: 0.25)],
        [
            Mixture([
                .init(Anchor(strength: 0.2), weight: 0.5), .init(GradDrop(leak: 0.5), weight: 2),
                .init(Adaptive(alpha: 0.1, .normalised), weight: -3),
            ])
        ],
    ]

    /// Measured steps store δ, to take its norm; the others need not.
    @Test(arguments: rules.indices, [1, 31, 64, 100, 16384 + 70, 50_000])
    func measuringChangesNothing(rule: Int, count: Int) throws {
        let keepsMoment = Self.rules[rule].secondMomentName != nil
        for noise in Self.noises {
            let needsMoment = noise.contains { $0.requirements(at: 0).contains(.secondMoment) }
            if keepsMoment || !needsMoment { try measuringChangesNothing(rule, noise, count) }
        }
    }

    private func measuringChangesNothing(_ rule: Int, _ noise: [any Perturbation], _ count: Int) throws {
        var random = SeededGenerator()
        let start = (0..<count).map { $0 % 9 == 4 ? -0.0 : Float.random(in: -1...1, using: &random) }
        let signals = (0..<3).map { _ in (0..<count).map { _ in Float.random(in: -1...1, using: &random) } }
        let gradients = (0..<3).map { _ in
            // A zero keeps its sign in products with noise.
            (0..<count).map { $0 % 7 == 3 ? -0.0 : Float.random(in: -1...1, using: &random) }
        }
        func run(measure: Bool, blockSize: Int) throws -> [UInt32] {
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("theta", shape: [count])],
                equation: PerturbedEquation(rule: Self.rules[rule], perturbation: noise),
                seed: 7, engine: Engine(parallel: .dispatch(threads: 2), blockSize: blockSize))
            let theta = UnsafeMutableBufferPointer.copy(of: start)
            let inputs = signals.map(UnsafeMutableBufferPointer.copy)
            defer { for array in inputs + [theta] { array.deallocate() } }
            for gradient in gradients.map(UnsafeMutableBufferPointer.copy) {
                defer { gradient.deallocate() }
                var buffer = ParameterBuffer(
                    parameters: theta.baseAddress!, gradient: UnsafeRawPointer(gradient.baseAddress))
                for (signal, input) in zip(Signal.allCases, inputs) {
                    buffer.signals[signal] = UnsafeRawPointer(input.baseAddress)
                }
                try optimizer.step([buffer], measure: measure)
            }
            return theta.map(\.bitPattern)
        }
        let stored = try run(measure: true, blockSize: 16384)
        #expect(stored != start.map(\.bitPattern))
        for blockSize in [32, 96, 16384] {
            #expect(
                try run(measure: false, blockSize: blockSize) == stored,
                "\(noise), seed \(random.seed), blocks of \(blockSize)")
        }
    }

    /// Where the upper half of the element numbers changes, which no tensor of a test is large enough to reach.
    @Test(
        arguments: [(1 << 34) - 70, (1 << 34) - 64, (1 << 34) - 300, (1 << 34) - 512, 0, 5, 37] as [UInt64],
        [300, 700])
    func kernelAtAnyElement(first: UInt64, count: Int) {
        for distribution in [PK_NORMAL, PK_UNIFORM, PK_LAPLACE, PK_RADEMACHER, PK_DROP] {
            for isByGradient in [false, true] { kernel(distribution, isByGradient, first, count) }
        }
    }

    private func kernel(
        _ distribution: pk_distribution, _ isByGradient: Bool, _ first: UInt64, _ count: Int
    ) {
        var stream = pk_stream(key: (1, 2), step: 3, parameter: 4, term: 5)
        var rule = pk_sgd(rate: 0.5, penalty: 0.25, decay: 0.125, momentum: 0, intake: 1, nesterov: 0)
        let gradient = (0..<count).map { Float($0) / 100 }
        for level in SIMDLevel.supported {
            let kernels = Float.kernels(level).pointee
            var delta = [Float](repeating: 0, count: count)
            kernels.noise(
                distribution, isByGradient ? PK_ADD_SCALED : PK_STORE, &delta, isByGradient ? gradient : nil,
                count, 0.3, 0.2, &stream, first, nil)
            var expected = [Float](repeating: 1, count: count)
            var found = expected
            gradient.withUnsafeBufferPointer { g in
                func block(_ theta: UnsafeMutablePointer<Float>) -> pk_block {
                    pk_block(
                        parameters: theta, gradient: g.baseAddress, delta: nil, terms: nil, term_count: 0,
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
                    var term = pk_term()
                    term.kind = isByGradient ? PK_NOISE_BY_GRADIENT : PK_NOISE
                    term.scale = 0.3
                    term.distribution = distribution
                    term.stream = stream
                    term.first = first
                    term.p = 0.2
                    withUnsafePointer(to: &term) {
                        var drawn = block(theta.baseAddress!)
                        drawn.terms = $0
                        drawn.term_count = 1
                        kernels.sgd_drawn(&drawn, &rule)
                    }
                }
            }
            #expect(found == expected, "\(level), \(distribution), by gradient: \(isByGradient)")
        }
    }

    /// Σ x·ξ/√v is that of the variates, at every level, and leaves out where v is not above 0.
    @Test(
        arguments: [1, 15, 64, 2048, 2049, 5000],
        [0, 37, 64, (1 << 34) - 128, (1 << 34) - 5056] as [UInt64])
    func sumsOverRoots(count: Int, first: UInt64) {
        var random = SeededGenerator()
        func check<S: EquationScalar>(_: S.Type) {
            let x = (0..<count).map { _ in S(Double.random(in: -1...1, using: &random)) }
            let v = (0..<count).map { $0 % 5 == 0 ? 0 : S(Double.random(in: 1...2, using: &random)) }
            var stream = pk_stream(key: (1, 2), step: 3, parameter: 4, term: 5)
            var xi = [S](repeating: 0, count: count)
            S.kernels(.baseline).pointee.noise(
                PK_NORMAL, PK_STORE, &xi, nil, count, 1, 0, &stream, first, nil)
            let expected = (0..<count).filter { v[$0] > 0 }
                .reduce(0.0) { $0 + Double(x[$1]) * Double(xi[$1]) / Double(v[$1]).squareRoot() }
            let sums = SIMDLevel.supported.map {
                S.kernels($0).pointee.noise_over_root(x, v, count, &stream, first)
            }
            for sum in sums {
                #expect(abs(sum - expected) < 1e-6 * Double(count), "seed \(random.seed)")
                #expect(sum == sums[0], "seed \(random.seed)")
            }
        }
        check(Float.self)
        check(Double.self)
    }

    /// The sums of a kernel are those of the variates that it draws, and the same bits at every level.
    @Test(
        arguments: [1, 15, 64, 2048, 2049, 5000],
        [0, 37, 64, (1 << 34) - 128, (1 << 34) - 5056] as [UInt64])
    func sumsAreOfTheSameVariates(count: Int, first: UInt64) {
        var random = SeededGenerator()
        func check<S: EquationScalar>(_: S.Type, _ level: SIMDLevel) {
            let x = (0..<count).map { _ in S(Double.random(in: -1...1, using: &random)) }
            var stream = pk_stream(key: (1, 2), step: 3, parameter: 4, term: 5)
            let kernels = S.kernels(level).pointee
            var xi = [S](repeating: 0, count: count)
            kernels.noise(PK_NORMAL, PK_STORE, &xi, nil, count, 1, 0, &stream, first, nil)
            let sums = kernels.noise_sums(x, count, &stream, first)
            let expected = zip(xi, x).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(sums.noise - expected) < 1e-11 * Double(count), "\(level), seed \(random.seed)")
            #expect(abs(sums.squares - squares) < 1e-11 * Double(count), "\(level), seed \(random.seed)")
            let baseline = S.kernels(.baseline).pointee.noise_sums(x, count, &stream, first)
            #expect(sums.noise == baseline.noise && sums.squares == baseline.squares, "\(level)")
            #expect(sums.noise_squares == baseline.noise_squares, "\(level)")
            let alone = kernels.noise_sums(nil, count, &stream, first)
            #expect(alone.noise_squares == sums.noise_squares && alone.noise == 0 && alone.squares == 0)
            let noiseSquares = xi.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(sums.noise_squares - noiseSquares) < 1e-11 * Double(count), "\(level)")
        }
        for level in SIMDLevel.supported {
            check(Float.self, level)
            check(Double.self, level)
        }
    }
}
