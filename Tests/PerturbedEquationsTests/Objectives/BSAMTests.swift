import Foundation
import PerturbedEquations
import TestSupport
import Testing

@Suite struct BSAMTests {
    /// One step after another against the paper's algorithm in float64, with the same noise.
    @Test(arguments: [0, 0.1]) func followsThePaper(rho: Double) throws {
        let (ess, s0, delta, beta1, beta2, eta, gamma) = (50.0, 0.5, 0.01, 0.8, 0.9, 0.05, 0.2)
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: BSAM(
                    learningRate: Scheduled(eta), rho: Scheduled(rho), effectiveSampleSize: Scheduled(ess),
                    initialPrecision: s0, beta1: Scheduled(beta1), beta2: Scheduled(beta2),
                    weightDecay: Scheduled(delta), damping: Scheduled(gamma))), seed: 7)
        var flat = FlatBowl()
        let count = flat.theta.count
        var s = [Double](repeating: s0, count: count)
        var m = [Double](repeating: 0, count: count)
        for step in 0..<12 {
            try bowl.step()
            let xi = [3, 70].enumerated().flatMap { parameter, n -> [Double] in
                NoiseStream(
                    key: NoiseKey(seed: 7).derived("perturbation"), step: step, parameter: parameter,
                    term: 4094
                ).values(n, .normal)
            }
            let g = flat.gradient(
                at: sum(flat.theta, 1, zip(s, xi).map { $1 / (ess * $0).squareRoot() }))
            let uphill = flat.gradient(at: sum(flat.theta, rho, zip(g, s).map { $0 / $1 }))
            for i in 0..<count {
                m[i] = beta1 * m[i] + (1 - beta1) * (uphill[i] + delta * flat.theta[i])
                flat.theta[i] -= eta * m[i] / s[i]
                s[i] = beta2 * s[i] + (1 - beta2) * (s[i].squareRoot() * abs(g[i]) + delta + gamma)
            }
            #expect(distance(bowl.flat, flat.theta) < 1e-12, "step \(step)")
        }
        let deviations = try #require(bowl.optimizer.posteriorDeviations).flatMap(\.self)
        for i in 0..<count { #expect(abs(deviations[i] - 1 / (ess * s[i]).squareRoot()) < 1e-12) }
    }

    /// Two gradients a step; not beside ivon, and not without λ.
    @Test func evaluationsAndRefusals() throws {
        let bowl = try Bowl<Float>(
            PerturbedEquation(rule: BSAM(learningRate: 0.1, effectiveSampleSize: 100)))
        let report = try bowl.step()
        #expect(report.evaluations.gradients == 2 && report.evaluations.losses == 0)
        let tensors = Tensors<Float>(sizes: [4, 4]) { _, i in Float(i) }
        let mixed = #expect(throws: ConfigurationError.self) {
            try PerturbedOptimizer(
                parameters: tensors.specs(["a", "b"]),
                equation: PerturbedEquation(rule: BSAM(learningRate: 0.1, effectiveSampleSize: 100)),
                groups: [ParameterGroup(["b"], rule: IVON(effectiveSampleSize: 100))], seed: 1)
        }
        #expect(mixed?.message.contains("are ivon and bsam") == true)
        let missing = #expect(throws: ConfigurationError.self) {
            try Bowl<Float>(PerturbedEquation(rule: BSAM(learningRate: 0.1, effectiveSampleSize: nil)))
        }
        #expect(missing?.path == "rule.bsam.effectiveSampleSize")
    }
}
