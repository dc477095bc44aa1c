import Foundation
import PerturbedEquations
import Testing

/// AdamPE and RMSPE: v tends to E[g²] under noise of known variance, where Adam's and RMSProp's do not.
@Suite struct KnownNoiseTests {
    static let n = 30_000
    static let beta2 = 0.98

    /// The values of a state tensor of the only parameter.
    static func state<S: EquationScalar>(_ optimizer: PerturbedOptimizer, _ name: String, _: S.Type) throws
        -> [Double]
    {
        let bytes = try #require(optimizer.stateBytes()["state/p0/\(name)"])
        return bytes.withUnsafeBytes { $0.bindMemory(to: S.self).map(Double.init) }
    }

    /// The second moment of each element after `steps` steps of gradients 0.5·(1 + i mod 4), corrected for its
    /// start, grouped by gradient.
    static func moments<S: EquationScalar>(
        _ rule: any UpdateRule, _ terms: [any Perturbation], steps: Int = 300, _: S.Type
    ) throws -> [(gradient: Double, moments: [Double])] {
        let tensors = Tensors<S>(sizes: [n]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: PerturbedEquation(rule: rule, perturbation: terms),
            seed: 14)
        tensors.setGradient { _, i, _ in S(1 + i % 4) / 2 }
        for _ in 0..<steps { try optimizer.step(tensors.buffers) }
        let v = try state(
            optimizer, rule.stateNames.contains("exp_avg_sq") ? "exp_avg_sq" : "square_avg", S.self)
        return (0..<4).map { k in
            (
                0.5 * Double(1 + k),
                v.enumerated().filter { $0.offset % 4 == k }.map {
                    $0.element / (1 - pow(beta2, Double(steps)))
                }
            )
        }
    }

    static let terms: [[any Perturbation]] = [
        [Gaussian(sigma: 1)], [Laplace(sigma: .relative(0.7))], [GradientScaled(alpha: 0.8)],
        [DropNoise(probability: 0.4)],
        [Uniform(sigma: 0.5), Gaussian(sigma: 0.5), DropNoise(probability: 0.2)],
        [Orthogonal(sigma: 0.8)],
        [Gaussian(sigma: .absolute(Scheduled(ExponentialSchedule(from: 2, factor: 0.99))))],
    ]

    @Test(arguments: terms.indices)
    func theNoiseIsTakenOff(_ index: Int) throws {
        try check(index, AdamPE(beta2: Scheduled(Self.beta2)), Float.self)
        try check(index, RMSPE(alpha: Scheduled(Self.beta2)), Double.self)
    }

    private func check<S: EquationScalar>(_ index: Int, _ rule: any UpdateRule, _: S.Type) throws {
        for (g, v) in try Self.moments(rule, Self.terms[index], S.self) {
            let (mean, variance) = meanAndVariance(v)
            let error = (variance / Double(v.count)).squareRoot()
            #expect(abs(mean - g * g) < 5 * error, "\(Self.terms[index]) at \(g): \(mean) ± \(error)")
        }
    }

    @Test(arguments: terms.indices)
    func adamsIsNot(_ index: Int) throws {
        let cases: [any UpdateRule] = [
            Adam(beta2: Scheduled(Self.beta2)), RMSProp(alpha: Scheduled(Self.beta2)),
        ]
        for rule in cases {
            for (g, v) in try Self.moments(rule, Self.terms[index], Float.self) {
                let (mean, variance) = meanAndVariance(v)
                #expect(mean - g * g > 50 * (variance / Double(v.count)).squareRoot(), "\(mean) at \(g)")
            }
        }
    }

    /// In the mean AdamPE steps by η·sign(g) whatever the noise; Adam by η·g/√(g² + σ²).
    @Test func noiseDoesNotShortenTheStep() throws {
        let (g, sigma, rate) = (0.5, 1.0, 0.01)
        func meanStep(_ rule: any UpdateRule) throws -> Double {
            let tensors = Tensors<Float>(sizes: [20_000]) { _, _ in 0 }
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(rule: rule, perturbation: Gaussian(sigma: 1)), seed: 15)
            tensors.setGradient { _, _, _ in Float(g) }
            for _ in 0..<2000 { try optimizer.step(tensors.buffers) }
            let before = tensors[0]
            for _ in 0..<100 { try optimizer.step(tensors.buffers) }
            return -zip(tensors[0], before).reduce(0) { $0 + Double($1.0 - $1.1) } / 2_000_000
        }
        let aware = try meanStep(AdamPE(learningRate: Scheduled(rate), beta2: 0.9995))
        let plain = try meanStep(Adam(learningRate: Scheduled(rate), beta2: 0.9995))
        #expect(abs(aware / rate - 1) < 0.02, "\(aware)")
        #expect(abs(plain / (rate * g / (g * g + sigma * sigma).squareRoot()) - 1) < 0.02, "\(plain)")
    }

    /// Where there is nothing but noise, v̂ is φ·s̄ or above, and `floor` or above; each step is −η·m̂/(√v̂ + ε).
    @Test(arguments: [(0.0, 0.3), (0.25, 0.0), (0.04, 0.1)])
    func theFloors(_ floor: Double, _ noiseFloor: Double) throws {
        let (beta1, beta2, rate) = (0.7, 0.9, 0.1)
        let sigma = Scheduled(LinearSchedule(from: 1, to: 0.2, steps: 20))
        let tensors = Tensors<Double>(sizes: [5000]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: AdamPE(
                    learningRate: Scheduled(rate), beta1: Scheduled(beta1), beta2: Scheduled(beta2),
                    epsilon: 0.001, floor: Scheduled(floor), noiseFloor: Scheduled(noiseFloor)),
                perturbation: Gaussian(sigma: .absolute(sigma))), seed: 16)
        tensors.setGradient { _, _, _ in 0 }
        var average = 0.0
        var (atFloor, above) = (0, 0)
        for step in 0..<25 {
            let before = tensors[0]
            try optimizer.step(tensors.buffers)
            average = beta2 * average + (1 - beta2) * sigma.value(at: step) * sigma.value(at: step)
            let (first, second) = (1 - pow(beta1, Double(step + 1)), 1 - pow(beta2, Double(step + 1)))
            let m = try Self.state(optimizer, "exp_avg", Double.self)
            let v = try Self.state(optimizer, "exp_avg_sq", Double.self)
            let least = max(floor, noiseFloor * average / second)
            for i in v.indices {
                if v[i] / second > least { above += 1 } else { atFloor += 1 }
                let step = -rate * m[i] / first / (max(v[i] / second, least).squareRoot() + 0.001)
                #expect(abs(tensors[0][i] - before[i] - step) < 1e-12)
            }
        }
        #expect(atFloor > 10_000 && above > 10_000)
    }

    /// Without noise they are Adam and RMSProp, to the bit.
    @Test func withoutNoise() throws {
        func run(_ rule: any UpdateRule) throws -> [[UInt64]] {
            try ZeroStrengthTests.run(rule, [Gaussian(sigma: 0)], steps: 20, as: Float.self).theta
        }
        let beta2 = Scheduled(LinearSchedule(from: 0.8, to: 0.99, steps: 10))
        let rate = Scheduled(0.01)
        let pairs: [(any UpdateRule, any UpdateRule)] = [
            (AdamPE(), Adam()), (AdamPE(weightDecay: 0.1), Adam(weightDecay: 0.1)),
            (AdamPE(weightDecay: 0.1, decoupled: true), AdamW(weightDecay: 0.1)),
            (AdamPE(learningRate: rate, beta2: beta2), Adam(learningRate: rate, beta2: beta2)),
            (RMSPE(weightDecay: 0.1), RMSProp(weightDecay: 0.1)),
            (RMSPE(momentum: 0.8), RMSProp(momentum: 0.8)),
        ]
        for (aware, plain) in pairs { #expect(try run(aware) == run(plain), "\(aware)") }
        #expect(try run(AdamPE()) != run(AdamPE(learningRate: 0.002)))
    }

    /// Gradients that were large once and vanish, under noise in proportion: no step explodes.
    @Test(arguments: [[GradientScaled(alpha: 2)] as [any Perturbation], [DropNoise(probability: 0.7)]])
    func sparseGradients(_ terms: [any Perturbation]) throws {
        let tensors = Tensors<Float>(sizes: [5000]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: AdamPE(learningRate: 1), perturbation: terms), seed: 17)
        for step in 0..<200 {
            let before = tensors[0]
            tensors.setGradient { _, i, _ in (step + i) % 10 == 0 ? 1 : 0 }
            try optimizer.step(tensors.buffers)
            #expect(zip(tensors[0], before).allSatisfy { abs($0 - $1) < 12 }, "step \(step)")
        }
    }
}
