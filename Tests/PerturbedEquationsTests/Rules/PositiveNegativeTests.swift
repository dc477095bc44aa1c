import Foundation
import PerturbedEquations
import Testing

/// PNM and AdaPNM against the paper's recursion, and their amplification of noise in closed form.
@Suite struct PositiveNegativeTests {
    /// mₙ = β₁²·mₙ₋₂ + (1 − β₁²)·gₙ, m₋₁ = m₀ = 0: the momenta of all updates, by their history.
    static func momenta(_ gradients: [Double], beta1: Double) -> [Double] {
        var m = [0.0, 0.0]
        for g in gradients { m.append(beta1 * beta1 * m[m.count - 2] + (1 - beta1 * beta1) * g) }
        return m
    }

    static let gradients = ScheduledSettingsTests.gradients

    @Test(arguments: [0, 0.5, 1, 2.5])
    func pnm(_ beta0: Double) throws {
        let norm = ((1 + beta0) * (1 + beta0) + beta0 * beta0).squareRoot()
        let m = Self.momenta(Self.gradients, beta1: 0.8)
        var theta = 0.0
        let theory = Self.gradients.indices.map { n -> Double in
            theta -= 0.1 / norm * ((1 + beta0) * m[n + 2] - beta0 * m[n + 1])
            return theta
        }
        let rule = PNM(learningRate: 0.1, beta1: 0.8, beta0: Scheduled(beta0))
        ScheduledSettingsTests.expect(try ScheduledSettingsTests.path(rule), theory, "pnm")
    }

    @Test(arguments: [false, true], [false, true])
    func adaPNM(amsgrad: Bool, decoupled: Bool) throws {
        let (beta1, beta2, beta0, rate, lambda) = (0.9, 0.8, 1.5, 0.1, 0.2)
        let norm = ((1 + beta0) * (1 + beta0) + beta0 * beta0).squareRoot()
        var (theta, v, largest) = (0.0, 0.0, 0.0)
        var seen: [Double] = []
        let theory = Self.gradients.enumerated().map { n, g -> Double in
            if decoupled { theta *= 1 - rate * lambda }
            seen.append(decoupled ? g : g + lambda * theta)
            let m = Self.momenta(seen, beta1: beta1)
            v = beta2 * v + (1 - beta2) * seen[n] * seen[n]
            largest = amsgrad ? max(largest, v) : v
            let root = (largest / (1 - pow(beta2, Double(n + 1)))).squareRoot()
            theta -=
                rate / norm * ((1 + beta0) * m[n + 2] - beta0 * m[n + 1]) / (1 - pow(beta1, Double(n + 1)))
                / (root + 0.01)
            return theta
        }
        let rule = AdaPNM(
            learningRate: Scheduled(rate), beta1: Scheduled(beta1), beta2: Scheduled(beta2),
            beta0: Scheduled(beta0), epsilon: 0.01, weightDecay: Scheduled(lambda), decoupled: decoupled,
            amsgrad: amsgrad)
        ScheduledSettingsTests.expect(try ScheduledSettingsTests.path(rule), theory, "adaPNM")
    }

    /// With a scheduled β₁ the correction is by the product of the β's.
    @Test func scheduledBetas() throws {
        let beta1 = ScheduledSettingsTests.beta1
        var (theta, product, v, second) = (0.0, 1.0, 0.0, 1.0)
        var m = [0.0, 0.0]
        let theory = Self.gradients.enumerated().map { n, g -> Double in
            let b = beta1.value(at: n)
            let b2 = ScheduledSettingsTests.beta2.value(at: n)
            m.append(b * b * m[n] + (1 - b * b) * g)
            v = b2 * v + (1 - b2) * g * g
            product *= b
            second *= b2
            theta -=
                0.1 / 5.0.squareRoot() * (2 * m[n + 2] - m[n + 1]) / (1 - product)
                / (v / (1 - second)).squareRoot()
            return theta
        }
        let rule = AdaPNM(
            learningRate: 0.1, beta1: beta1, beta2: ScheduledSettingsTests.beta2, epsilon: 0, amsgrad: false)
        ScheduledSettingsTests.expect(try ScheduledSettingsTests.path(rule), theory, "adaPNM")
    }

    /// The last step of a run with gradient g + σξ over many dimensions: E = −ηg/(norm·root) and
    /// Var = η²σ²(1−β₁²)/(1+β₁²)/root², root² = g² + σ² for AdaPNM and 1 for PNM.
    @Test(arguments: [false, true], [0, 1, 3])
    func amplification(adaptive: Bool, beta0: Double) throws {
        let (g, sigma, beta1, rate) = (0.4, 0.7, 0.8, 0.5)
        let rule: any UpdateRule =
            adaptive
            ? AdaPNM(
                learningRate: Scheduled(rate), beta1: Scheduled(beta1), beta2: 0.9995,
                beta0: Scheduled(beta0), amsgrad: false)
            : PNM(learningRate: Scheduled(rate), beta1: Scheduled(beta1), beta0: Scheduled(beta0))
        let tensors = Tensors<Double>(sizes: [20_000]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: rule, perturbation: Gaussian(sigma: .absolute(Scheduled(sigma)))),
            seed: 8, engine: Engine(parallel: .serial))
        tensors.setGradient { _, _, _ in g }
        // Long enough for v to settle at its mean: its scatter, of relative variance below 0.001, shows as
        // less than that.
        for _ in 0..<(adaptive ? 3000 : 60) { try optimizer.step(tensors.buffers) }
        let before = tensors[0]
        try optimizer.step(tensors.buffers)
        let measured = Quadratic.Measured(zip(tensors[0], before).map { $0 - $1 })
        let root = adaptive ? (g * g + sigma * sigma).squareRoot() : 1
        let norm = ((1 + beta0) * (1 + beta0) + beta0 * beta0).squareRoot()
        let mean = -rate * g / (norm * root)
        let variance =
            rate * rate * sigma * sigma * (1 - beta1 * beta1) / (1 + beta1 * beta1) / (root * root)
        let z = measured.deviations(mean: mean, square: variance + mean * mean)
        #expect(abs(z.mean) < 5 && abs(z.square) < 5, "β₀ = \(beta0): \(measured), \(z)")
        // In units of the signal, the noise has (1+β₀)² + β₀² times the variance that it has for β₀ = 0.
        let plain = sigma * sigma * (1 - beta1 * beta1) / (1 + beta1 * beta1) / (g * g)
        let ratio =
            (measured.square - measured.mean * measured.mean) / (measured.mean * measured.mean) / plain
        #expect(abs(ratio / (norm * norm) - 1) < 0.1, "\(ratio)")
    }
}
