import Foundation
import PerturbedEquations
import Testing

/// The methods that average over noise on the parameters.
@Suite struct SmoothingTests {
    /// ½h(θ − c)² smoothed by noise of deviation σ is ½h((θ − c)² + σ²), with the same gradient.
    @Test func aQuadraticIsRaised() throws {
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: SGD(learningRate: 0),
                parameterPerturbation: RandomWeights(sigma: 0.3, scale: .one, samples: 200)), seed: 3)
        let flat = FlatBowl()
        let plain = bowl.loss(gradients: false)
        var losses: [Double] = []
        for _ in 0..<100 { losses.append(try bowl.step().loss!) }
        let (mean, variance) = meanAndVariance(losses)
        let expected = plain + flat.h.reduce(0) { $0 + $1 * 0.3 * 0.3 / 2 }
        let error = (variance / Double(losses.count)).squareRoot()
        #expect(abs(mean - expected) < 4 * error && expected > plain + 20 * error, "\(mean), \(expected)")
    }

    /// E[cos(k(θ + σξ))] = e^(−k²σ²/2)·cos(kθ): the gradient that a step goes on with is that of the smooth function.
    @Test func aWaveIsFlattened() throws {
        let (k, sigma, count) = (3.0, 0.4, 200_000)
        let tensors = Tensors<Double>([[Double](repeating: 0.7, count: count)])
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1),
                parameterPerturbation: RandomWeights(sigma: Scheduled(sigma), scale: .one)),
            seed: 4)
        try optimizer.step(tensors.buffers) { _ in
            tensors.setGradient { _, _, theta in -k * sin(k * theta) }
            return 0
        }
        let (mean, variance) = meanAndVariance(tensors[0].map { 0.7 - $0 })
        let expected = -k * sin(k * 0.7) * exp(-k * k * sigma * sigma / 2)
        #expect(abs(mean - expected) < 4 * (variance / Double(count)).squareRoot(), "\(mean), \(expected)")
    }

    /// σ‖filter‖ is the deviation within each row, however blocks cut the rows.
    @Test(arguments: [32, 96, 16384]) func filterNorms(blockSize: Int) throws {
        let shapes = [[3, 50, 40], [5, 7], [1000], [4, 1], [2, 0], [], [1, 3000]]
        let tensors = Tensors<Float>(sizes: shapes.map { $0.reduce(1, *) }) { t, i in
            Float((i * 31 + t) % 17) / 8 - 0.9
        }
        let optimizer = try PerturbedOptimizer(
            parameters: shapes.enumerated().map { ParameterSpec("p\($0)", shape: $1) },
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0), parameterPerturbation: RandomWeights(sigma: 0.01)),
            seed: 5, engine: Engine(parallel: .dispatch(threads: 2), blockSize: blockSize, serialBelow: 0))
        let theta = tensors.all
        try optimizer.step(tensors.buffers) { _ in
            for (t, shape) in shapes.enumerated() where theta[t].count > 0 {
                let length = shape.count > 1 ? shape.dropFirst().reduce(1, *) : theta[t].count
                // The same noise, unscaled: the address is stage 1's.
                let xi: [Float] = NoiseStream(
                    key: NoiseKey(seed: 5).derived("perturbation"), step: 0, parameter: t, term: 4094
                ).values(theta[t].count, .normal)
                for i in theta[t].indices {
                    let row = theta[t][i / length * length..<(i / length + 1) * length]
                    let size = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                    let expected = Double(theta[t][i]) + 0.01 * size * Double(xi[i])
                    if abs(Double(tensors[t][i]) - expected) > 1e-6 * (1 + size) {
                        Issue.record("\(shape), element \(i): \(tensors[t][i]), not \(expected)")
                        return 0
                    }
                }
            }
            return 0
        }
    }

    /// σ goes up while the loss differs by less than the target, and down while it differs by more.
    @Test func parameterSpaceNoiseAdapts() throws {
        func sigma(_ start: Double, _ steps: Int) throws -> Double {
            let bowl = try Bowl<Double>(
                PerturbedEquation(
                    rule: SGD(learningRate: 0),
                    parameterPerturbation: ParameterSpaceNoise(sigma: start, target: 0.5, factor: 1.05)))
            for _ in 0..<steps { try bowl.step() }
            return try #require(bowl.optimizer.parameterNoise)
        }
        #expect(abs(try sigma(1e-6, 20) - 1e-6 * pow(1.05, 20)) < 1e-15)
        #expect(abs(try sigma(100, 20) - 100 * pow(1.05, -20)) < 1e-9)
        let (low, high) = (try sigma(0.001, 400), try sigma(10, 400))
        #expect(low / high < 2 && high / low < 2 && low > 0.01 && low < 1, "\(low), \(high)")
    }

    @Test func parameterSpaceNoiseTakesReports() throws {
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: SGD(learningRate: 0),
                parameterPerturbation: ParameterSpaceNoise(
                    sigma: 0.1, target: 1, factor: 2, distance: .reported)))
        try bowl.step()
        #expect(bowl.optimizer.parameterNoise == 0.1)
        bowl.optimizer.report(noiseDistance: 0.5)
        try bowl.step()
        #expect(bowl.optimizer.parameterNoise == 0.2)
        try bowl.step()
        #expect(bowl.optimizer.parameterNoise == 0.2)
        bowl.optimizer.report(noiseDistance: 1.5)
        try bowl.step()
        #expect(bowl.optimizer.parameterNoise == 0.1)
        #expect(bowl.optimizer.evaluations == EvaluationCounts(gradients: 4))
    }

    /// Without noise the walk on a quadratic is a linear recursion.
    @Test func entropySGD() throws {
        let (rate, gamma, alpha, eta) = (0.2, 0.6, 0.7, 0.5)
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: SGD(learningRate: Scheduled(eta)),
                parameterPerturbation: EntropySGD(
                    steps: 5, rate: Scheduled(rate), gamma: Scheduled(gamma), epsilon: 0,
                    alpha: Scheduled(alpha))))
        var flat = FlatBowl()
        for _ in 0..<10 {
            let report = try bowl.step()
            #expect(report.evaluations == EvaluationCounts(gradients: 5))
            var x = flat.theta
            var mean = flat.theta
            for _ in 0..<5 {
                let drift = sum(flat.gradient(at: x), -gamma, sum(flat.theta, -1, x))
                x = sum(x, -rate, drift)
                mean = sum(mean.map { (1 - alpha) * $0 }, alpha, x)
            }
            flat.theta = sum(flat.theta, -eta * gamma, sum(flat.theta, -1, mean))
            #expect(distance(bowl.flat, flat.theta) < 1e-13)
        }
    }

    /// With noise, x is stationary around a quadratic's local mean with variance ≈ ε²/(2(h + γ) − η'(h + γ)²).
    @Test func entropySGDWalksWithTheRightNoise() throws {
        let (rate, gamma, epsilon, steps, count) = (0.1, 0.5, 0.3, 200, 50_000)
        let tensors = Tensors<Double>([[Double](repeating: 0, count: count)])
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0),
                parameterPerturbation: EntropySGD(
                    steps: steps, rate: Scheduled(rate), gamma: Scheduled(gamma), epsilon: Scheduled(epsilon))
            ),
            seed: 6)
        var last: [Double] = []
        try optimizer.step(tensors.buffers) { evaluation in
            tensors.setGradient { _, _, theta in theta }
            if evaluation.number == steps - 1 { last = tensors[0] }
            return 0
        }
        let (mean, variance) = meanAndVariance(last)
        let stiffness = 1 + gamma
        let expected = epsilon * epsilon / (2 * stiffness - rate * stiffness * stiffness)
        #expect(abs(mean) < 4 * (expected / Double(count)).squareRoot())
        #expect(
            abs(variance / expected - 1) < 4 * (2 / Double(count)).squareRoot(), "\(variance), \(expected)")
    }
}
