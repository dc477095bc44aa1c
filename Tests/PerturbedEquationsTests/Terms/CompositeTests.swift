import PerturbedEquations
import Testing

/// What the engine makes of terms made of terms.
@Suite struct CompositeTests {
    static func run(
        _ terms: [any Perturbation], steps: Int = 5, stability: Stability = Stability(), seed: UInt64 = 6
    ) throws -> ([[UInt64]], [Double?]) {
        let tensors = Tensors<Float>(sizes: [5, 3000]) { _, i in Float(i % 7) / 3 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Momentum(learningRate: 0.1), perturbation: terms, stability: stability), seed: seed,
            engine: Engine(blockSize: 256))
        var sigmas: [Double?] = []
        for _ in 0..<steps {
            tensors.setGradient { _, i, theta in theta - Float(i % 2) }
            sigmas.append(try optimizer.step(tensors.buffers, measure: true).sigma)
        }
        return (tensors.bits, sigmas)
    }

    static let leaves: [any Perturbation] = [
        Gaussian(sigma: 0.5), Orthogonal(sigma: .relative(0.5)), CubedNoise(sigma: 0.1),
        DropNoise(probability: 0.2),
    ]

    /// A composite of weight 1 is the list of its parts, with the same noise; nested or not.
    @Test func aCompositeIsTheListOfItsParts() throws {
        let flat = try Self.run(Self.leaves)
        let nested: [any Perturbation] = [
            Self.leaves[0],
            ProbeComposite([ProbeComposite([Self.leaves[1]], [1]), Self.leaves[2]], [1, 1]), Self.leaves[3],
        ]
        #expect(try Self.run(nested).0 == flat.0)
        // A part of weight 0 is left out; its number is not given to another.
        let without = try Self.run([
            Gaussian(sigma: 0), Self.leaves[1], CubedNoise(sigma: 0), Self.leaves[3],
        ])
        let gated = try Self.run([
            ProbeComposite(Array(Self.leaves[0...1]), [0, 1]),
            ProbeComposite(Array(Self.leaves[2...3]), [0, 1]),
        ])
        #expect(gated.0 == without.0 && gated.0 != flat.0)
    }

    /// A weight multiplies δ of its part, whatever comes first and whether the part stores or adds.
    @Test func aWeightMultiplies() throws {
        let half: [any Perturbation] = [
            Gaussian(sigma: 0.25), Orthogonal(sigma: .relative(0.25)), CubedNoise(sigma: 0.05),
        ]
        let whole: [any Perturbation] = Array(Self.leaves[0..<3])
        for (a, b) in zip(
            try Self.run(half, steps: 1).0.joined(),
            try Self.run([ProbeComposite(whole, [0.5, 0.5, 0.5])], steps: 1).0.joined())
        {
            let (a, b) = (Float(bitPattern: UInt32(a)), Float(bitPattern: UInt32(b)))
            #expect(abs(a - b) < 1e-5)
        }
        #expect(try Self.run([ProbeComposite(whole, [0.5, 0, -1])]).1 == [0.25, 0.25, 0.25, 0.25, 0.25])
    }

    /// The variance of a weighted term is what is measured.
    @Test func declaredVariance() throws {
        try ElementVarianceTests.check(
            [
                ProbeComposite(
                    [Gaussian(sigma: 0.7), DropNoise(probability: 0.3), Laplace(sigma: 9)], [0.5, -2, 0])
            ], stability: Stability())
    }

    /// `relative … over: all` is relative to the gradients that there are.
    @Test func overAllIsOverAllGradients() throws {
        let tensors = Tensors<Float>(sizes: [4, 1000]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: Gaussian(sigma: .relative(0.5, .all))), seed: 1)
        tensors.setGradient { _, _, _ in 2 }
        tensors.hasGradient = [true, false]
        #expect(try optimizer.step(tensors.buffers).sigma == 1)
    }
}
