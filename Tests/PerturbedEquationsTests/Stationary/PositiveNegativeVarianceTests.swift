import PerturbedEquations
import Testing

/// The stationary variance of θ on a quadratic under positive-negative momentum.
@Suite struct PositiveNegativeVarianceTests {
    /// The state (θ, the average that is not due, the one that is): after a step the two change places.
    /// m' = βm + (1−β)(hθ + ξ); θ' = (1 − decay)θ − κ(p·m' + q·other), β = β₁².
    static func system(
        rate: Double, h: Double, beta1: Double, beta0: Double, sigma: Double, decay: Double = 0
    ) -> LinearSystem {
        let norm = ((1 + beta0) * (1 + beta0) + beta0 * beta0).squareRoot()
        let (p, q) = ((1 + beta0) / norm, -beta0 / norm)
        let beta = beta1 * beta1
        // (θ, other, due) → (θ', the due one updated, other)
        return LinearSystem(
            a: [
                [1 - decay - rate * p * (1 - beta) * h, -rate * q, -rate * p * beta],
                [(1 - beta) * h, 0, beta], [0, 1, 0],
            ],
            q: LinearSystem.noise([-rate * p * (1 - beta), 1 - beta, 0], variance: sigma * sigma))
    }

    @Test(arguments: [0, 1, 2], [0, 0.3])
    func pnm(beta0: Double, decay: Double) throws {
        let (rate, h, beta1) = (0.2, 1.5, 0.7)
        let theory = Self.system(
            rate: rate, h: h, beta1: beta1, beta0: beta0, sigma: 0.7, decay: rate * decay
        ).stationary[0][0]
        let terms: [any Perturbation] = [Gaussian(sigma: 0.7), Laplace(sigma: 0.7)]
        for term in terms {
            let measured = try Quadratic(h: h, dimensions: 50_000).run(
                PerturbedEquation(
                    rule: PNM(
                        learningRate: Scheduled(rate), beta1: Scheduled(beta1), beta0: Scheduled(beta0),
                        weightDecay: Scheduled(decay)), perturbation: term), steps: 150, seed: 31,
                as: Float.self)
            let z = measured.deviations(mean: 0, square: theory)
            #expect(abs(z.mean) < 5 && abs(z.square) < 5, "β₀ = \(beta0), \(term): \(measured), \(theory)")
        }
    }

    /// Once v has settled at S = E[ĝ²], as in AdaptiveRulesTests, AdaPNM is PNM with the step η/√S.
    @Test func adaPNM() throws {
        let theory = AdaptiveRulesTests.variance { kappa in
            Self.system(rate: kappa, h: AdaptiveRulesTests.h, beta1: 0.8, beta0: 1, sigma: 0.5)
                .stationary[0][0]
        }
        try AdaptiveRulesTests.check(
            AdaPNM(
                learningRate: Scheduled(AdaptiveRulesTests.rate), beta1: 0.8,
                beta2: Scheduled(AdaptiveRulesTests.beta2), amsgrad: false), Gaussian(sigma: 0.5), theory,
            seed: 50)
    }
}
