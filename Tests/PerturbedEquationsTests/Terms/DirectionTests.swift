import Foundation
import PerturbedEquations
import Testing

/// Terms whose δ stands in a known relation to g, θ or itself.
@Suite struct DirectionTests {
    /// δ of each tensor at each step, by the rule SGD with rate 1: θ(t) − θ(t+1) − g.
    static func deltas<S: EquationScalar>(
        _ term: any Perturbation, gradient: [[S]], steps: Int = 1, seed: UInt64 = 11
    ) throws -> [[[Double]]] {
        let tensors = Tensors<S>(sizes: gradient.map(\.count)) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: term), seed: seed,
            engine: Engine(blockSize: 64))
        tensors.setGradient(gradient)
        return try (0..<steps).map { _ in
            for index in gradient.indices { tensors[index] = gradient[index].map { _ in 0 } }
            try optimizer.step(tensors.buffers)
            return zip(tensors.all, gradient).map { theta, g in zip(theta, g).map { Double(-$0 - $1) } }
        }
    }

    static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// ‖g + δ‖ = ‖g‖ and the angle is φ, in each tensor; none in zero gradients and single elements.
    @Test(arguments: [0.01, 0.7, 1.5, 2.6, .pi])
    func rotation(_ angle: Double) throws {
        let g: [[Double]] = [
            (0..<500).map { sin(Double($0)) }, [3, -4], [5], [0, 0, 0], (0..<90).map { 1e-120 * Double($0) },
        ]
        for deltas in try Self.deltas(Rotation(angle: Scheduled(angle)), gradient: g, steps: 3) {
            for index in [0, 1, 4] {
                let sum = zip(g[index], deltas[index]).map(+)
                let norm = Self.dot(g[index], g[index]).squareRoot()
                #expect(abs(Self.dot(sum, sum).squareRoot() / norm - 1) < 1e-9)
                let cosine = Self.dot(sum, g[index]) / (norm * norm)
                #expect(abs(cosine - cos(angle)) < 1e-9, "tensor \(index)")
            }
            #expect(deltas[2] == [0] && deltas[3] == [0, 0, 0])
        }
        let narrow = try Self.deltas(
            Rotation(angle: Scheduled(angle)), gradient: [(0..<999).map { Float($0 % 7) - 2 }])[0][0]
        let g32 = (0..<999).map { Double($0 % 7) - 2 }
        let sum = zip(g32, narrow).map(+)
        #expect(abs(Self.dot(sum, g32) / Self.dot(g32, g32) - cos(angle)) < 1e-5)
        #expect(abs(Self.dot(sum, sum) / Self.dot(g32, g32) - 1) < 1e-5)
    }

    /// u is uniform across g: its mean vanishes, each direction gets the same.
    @Test func rotationsAreUniform() throws {
        let g: [Double] = [2, 0, 0, 0]
        let steps = 20_000
        let deltas = try Self.deltas(Rotation(angle: .init(.pi / 2)), gradient: [g], steps: steps).map {
            $0[0]
        }
        for i in 1..<4 {
            let (mean, variance) = meanAndVariance(deltas.map { $0[i] })
            // u₁² of a unit vector in 3 dimensions: mean 1/3, standard deviation 2/√45.
            #expect(abs(mean) < 5 * (4 / 3.0 / Double(steps)).squareRoot())
            #expect(abs(variance - 4 / 3.0) < 5 * 4 * 2 / 45.0.squareRoot() / Double(steps).squareRoot())
        }
    }

    /// What is added is taken back: θ(T) − θ(0) of the noise is σ(T)ξ(T) − σ(0)ξ(0), whatever T, also with a learning
    /// rate and σ that change; a step on its own has variance σ(t)² + σ(t+1)².
    @Test(arguments: [1, 2, 7, 50])
    func antiCorrelatedNoiseTelescopes(_ steps: Int) throws {
        let sigma = Scheduled(LinearSchedule(from: 0.2, to: 0.1, steps: 40))
        let tensors = Tensors<Double>(sizes: [1000, 3]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(LinearSchedule(from: 0.5, to: 0.01, steps: 50))),
                perturbation: Gaussian(sigma: 0), AntiCorrelated(sigma: sigma)), seed: 3)
        for _ in 0..<steps { try optimizer.step(tensors.buffers) }
        let key = NoiseKey(seed: 3).derived("perturbation")
        for tensor in 0..<2 {
            func noise(_ step: Int) -> [Double] {
                NoiseStream(key: key, step: step, parameter: tensor, term: 1)
                    .values(tensors.sizes[tensor], .normal, scale: sigma.value(at: step))
            }
            let (first, last) = (noise(0), noise(steps))
            for (theta, (a, b)) in zip(tensors[tensor], zip(first, last)) {
                #expect(abs(theta - (b - a)) < 1e-12)
            }
        }
    }

    /// δ = λ₁·sign θ + λ₂·θ + λ_g·√n·θ/‖θ‖.
    @Test func penalties() throws {
        let theta: [[Double]] = [[3, -4, 0, 0], [0, 0], [2]]
        let tensors = Tensors<Double>(theta)
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: WeightPenalty(l1: 0.5, l2: 0.25, group: 2)), seed: 1
        )
        try optimizer.step(tensors.buffers)
        // √4/5 of θ, nothing, its sign.
        let expected: [[Double]] = [
            [3 - 0.5 - 0.75 - 2 * 0.4 * 3, -4 + 0.5 + 1 + 2 * 0.4 * 4, 0, 0], [0, 0], [2 - 0.5 - 0.5 - 2],
        ]
        for (a, b) in zip(tensors.all.joined(), expected.joined()) { #expect(abs(a - b) < 1e-12) }
    }

    /// λ(θ − θ₀) without a radius; with one nothing within it, and beyond it λ times the way to the ball.
    @Test func anchors() throws {
        for radius in [0.0, 5, 7] {
            let tensors = Tensors<Double>([[1, 2], [1, 1, 1]])
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 1),
                    perturbation: Anchor(strength: 0.5, radius: Scheduled(radius))), seed: 1)
            // The first gradient moves θ by (6, 8), 10 away from its anchor, the other tensor not at all.
            tensors.setGradient([[-6, -8], [0, 0, 0]])
            try optimizer.step(tensors.buffers)
            #expect(tensors[0] == [7, 10])
            tensors.setGradient([[0, 0], [0, 0, 0]])
            try optimizer.step(tensors.buffers)
            let left = 10 - 0.5 * (10 - radius)
            #expect(abs(tensors[0][0] - (1 + 0.6 * left)) < 1e-12)
            #expect(abs(tensors[0][1] - (2 + 0.8 * left)) < 1e-12)
            #expect(tensors[1] == [1, 1, 1])
            // Held long enough it ends at the ball, or at the anchor.
            for _ in 0..<100 { try optimizer.step(tensors.buffers) }
            #expect(abs(hypot(tensors[0][0] - 1, tensors[0][1] - 2) - radius) < 1e-9)
        }
    }
}
