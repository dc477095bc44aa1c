import Foundation
import PerturbedEquations
import TestSupport
import Testing

@Suite struct IVONTests {
    /// One step after another against the paper's formulas in float64, with the same noise.
    @Test(arguments: [1, 3]) func followsThePaper(samples: Int) throws {
        let (ess, h0, delta, beta1, beta2, eta, radius) = (50.0, 0.5, 0.01, 0.8, 0.9, 0.1, 1.0)
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: IVON(
                    learningRate: Scheduled(eta), effectiveSampleSize: Scheduled(ess), initialHessian: h0,
                    beta1: Scheduled(beta1), beta2: Scheduled(beta2), weightDecay: Scheduled(delta),
                    clipRadius: Scheduled(radius), samples: samples)), seed: 7)
        var flat = FlatBowl()
        let count = flat.theta.count
        var h = [Double](repeating: h0, count: count)
        var m = [Double](repeating: 0, count: count)
        for step in 0..<12 {
            try bowl.step()
            var g = [Double](repeating: 0, count: count)
            var estimate = g
            for draw in 0..<samples {
                let xi = [3, 70].enumerated().flatMap { parameter, n -> [Double] in
                    NoiseStream(
                        key: NoiseKey(seed: 7).derived("perturbation"), step: step, parameter: parameter,
                        term: 4094, draw: draw
                    ).values(n, .normal)
                }
                let deviation = h.map { 1 / (ess * ($0 + delta)).squareRoot() }
                let gradient = flat.gradient(at: sum(flat.theta, 1, zip(deviation, xi).map { $0 * $1 }))
                g = sum(g, 1 / Double(samples), gradient)
                let product = (0..<count).map { gradient[$0] * xi[$0] / deviation[$0] }
                estimate = sum(estimate, 1 / Double(samples), product)
            }
            for i in 0..<count {
                m[i] = beta1 * m[i] + (1 - beta1) * g[i]
                let old = h[i]
                h[i] =
                    beta2 * old + (1 - beta2) * estimate[i]
                    + 0.5 * (1 - beta2) * (1 - beta2) * (old - estimate[i]) * (old - estimate[i])
                    / (old + delta)
                let unbiased = m[i] / (1 - pow(beta1, Double(step + 1)))
                let move = (unbiased + delta * flat.theta[i]) / (h[i] + delta)
                flat.theta[i] -= eta * (h0 + delta) * max(-radius, min(radius, move))
            }
            #expect(distance(bowl.flat, flat.theta) < 1e-12, "step \(step)")
        }
    }

    /// Linear regression with an orthogonal design has a Gaussian posterior with independent weights; IVON's
    /// N(θ, 1/(λ(h + δ))) must be that one.
    @Test func posteriorOfLinearRegression() throws {
        // N examples; column j of the design has the square sum N·aⱼ. L = (1/N)·Σ½(y − xᵀθ)² has the Hessian diag(a).
        let (examples, delta) = (200.0, 0.05)
        let a = (0..<16).map { 0.3 + Double($0) / 5 }
        let target = (0..<16).map { Double($0 % 5) - 2 }
        let tensors = Tensors<Double>([[Double](repeating: 0, count: 16)])
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: IVON(
                    learningRate: Scheduled(LinearSchedule(from: 0.1, to: 0, steps: 30_000)),
                    effectiveSampleSize: Scheduled(examples), beta2: 0.9995, weightDecay: Scheduled(delta),
                    rescaleRate: false)),
            seed: 8, engine: Engine(parallel: .serial))
        var means = [Double](repeating: 0, count: 16)
        for step in 0..<30_000 {
            try optimizer.step(tensors.buffers) { _ in
                tensors.setGradient { _, i, theta in a[i] * (theta - target[i]) }
                return 0
            }
            if step >= 10_000 { means = sum(means, 1.0 / 20_000, tensors[0]) }
        }
        let state = try optimizer.stateBytes()
        let hessian = try #require(state["state/p0/hess"]).withUnsafeBytes {
            Array($0.bindMemory(to: Double.self))
        }
        for i in 0..<16 {
            // Precision N(a + δ) and mean aᵢ·target/(a + δ).
            let exact = 1 / (examples * (a[i] + delta))
            let learnt = 1 / (examples * (hessian[i] + delta))
            #expect(abs(learnt / exact - 1) < 0.15, "variance \(i): \(learnt), not \(exact)")
            let mean = a[i] * target[i] / (a[i] + delta)
            #expect(abs(means[i] - mean) < 0.2 * exact.squareRoot(), "mean \(i): \(means[i]), not \(mean)")
        }
    }

    /// A parameter in another group is neither sampled nor given to the rule.
    @Test func groups() throws {
        let tensors = Tensors<Float>(sizes: [40, 40]) { _, i in Float(i) / 10 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(["a", "b"]),
            equation: PerturbedEquation(rule: SGD(learningRate: 0.1)),
            groups: [ParameterGroup(["b"], rule: IVON(effectiveSampleSize: 100))], seed: 9)
        let before = tensors.bits
        try optimizer.step(tensors.buffers) { _ in
            #expect(tensors.bits[0] == before[0] && tensors.bits[1] != before[1])
            tensors.setGradient { _, _, theta in theta }
            return 0
        }
        #expect(zip(tensors[0], (0..<40)).allSatisfy { abs($0 - Float($1) / 10 * 0.9) < 1e-6 })
        #expect(try optimizer.stateBytes().keys.sorted() == ["state/b/exp_avg", "state/b/hess"])
    }
}
