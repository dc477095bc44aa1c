import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics

/// `linear-gaussian`: every sampler against exact means and covariances.
struct LinearGaussian: Reproduction {
    let id = "linear-gaussian"
    let title = "Samplers where the posterior is known"
    let claim =
        "Each sampler finds the exact mean and covariance of normal posteriors in 2, 10 and 100 dimensions; with steps "
        + "16 times as long it does not."
    let source =
        "Theory; Welling and Teh 2011, Li et al. 2016, Chen, Fox and Guestrin 2014, Ding et al. 2014 for the samplers"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 300 : 3 }

    private static let samplers = ["sgld", "psgld", "sghmc", "sgnht"]

    /// The rule, with a step in the measure of the target's stiffness.
    private static func rule(_ name: String, _ target: GaussianPosterior, longer: Double = 1)
        -> any PosteriorRule
    {
        let h = target.stiffness
        let slow = 0.01 * longer / h
        switch name {
        case "psgld":
            // v settles at the mean of ĝ², which is Pᵢᵢ: the step is in units of √P.
            let running = Scheduled(1) + Scheduled(-1) * Scheduled(InversePowerSchedule(from: 1, exponent: 1))
            let diagonal = (0..<target.dimension).map { target.precision[$0 * target.dimension + $0] }
            return PSGLD(
                learningRate: Scheduled(0.05 * longer * diagonal.min()!.squareRoot() / h), alpha: running,
                epsilon: 1e-9)
        case "sghmc": return SGHMC(learningRate: Scheduled(slow), friction: 0.1)
        case "sgnht":
            return SGNHT(learningRate: Scheduled(slow), friction: 0.05, inertia: Scheduled(slow / 2e-4))
        default: return SGLD(learningRate: Scheduled(0.05 * longer / h))
        }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let steps = context.pick(full: 400_000, quick: 40_000)
        let seeds = (1...context.pick(full: UInt64(3), quick: 1)).map { $0 }
        let targets: [(name: String, target: GaussianPosterior)] = [
            ("gaussian-2", .autoregressive(2, correlation: 0.8)),
            ("regression-10", .linearRegression(weights: 10, points: 200, noise: 0.5, seed: 1)),
            ("gaussian-100", .autoregressive(100, correlation: 0.5)),
        ].filter { context.isQuick ? $0.1.dimension < 100 : true }
        var findings = ReproductionFindings(
            setUp:
                "N(μ, Σ) in 2 dimensions (correlation 0.8) and 100 (neighbours by 0.5), deviations 0.75 … 1.25; the posterior of "
                + "linear regression with 10 correlated weights and 200 points, noise 0.5, prior N(0, 1); whole gradients; "
                + "\(steps) steps of 4 chains, half of them burn-in, every 10th a draw, begun twice as wide; the covariance's error is √(tr (PΣ̂ − 1)²/d): every direction counts "
                + "alike; \(seeds.count) seeds")
        let cases =
            targets.flatMap { target in Self.samplers.map { (target.name, target.target, $0, 1.0) } }
            + [("gaussian-2", targets[0].target, "sgld", 16.0)]
        for (name, target, sampler, longer) in cases {
            let found = try seeds.map { seed in
                try Self.errors(target, Self.rule(sampler, target, longer: longer), steps: steps, seed: seed)
            }
            let isControl = longer > 1
            let arm = "\(name) \(sampler)" + (isControl ? ", steps 16 times as long" : "")
            context.told(
                "\(arm): mean off by \(short(found.map(\.mean).max()!)) deviations, covariance by "
                    + percent(found.map(\.covariance).max()!))
            findings.arms.append(
                .init(
                    name: arm,
                    summary:
                        "η = \(short(Self.rule(sampler, target, longer: longer).learningRate.value(at: 0)))",
                    isNegativeControl: isControl,
                    measures: [
                        .init(
                            "largest error of a mean, deviations", published: "0",
                            zip(seeds, found).map { ($0, $1.mean) }),
                        .init(
                            "error of the covariance, relative, over directions", published: "0",
                            zip(seeds, found).map { ($0, $1.covariance) }),
                        .init(
                            "least effective size of a coordinate",
                            zip(seeds, found).map { ($0, $1.effective) }),
                    ], chosen: [:], notes: []))
            let (mean, covariance) = (found.map(\.mean).max()!, found.map(\.covariance).max()!)
            let limits = context.pick(full: (0.15, 0.15), quick: (0.3, 0.4))
            if isControl {
                findings.check(
                    "\(arm): the covariance is off by more than 30%",
                    found.allSatisfy { $0.covariance > 0.3 },
                    measured: percent(found.map(\.covariance).min()!), isNegativeControl: true)
            } else {
                findings.check(
                    "\(arm): every mean within \(limits.0) deviations and the covariance within \(percent(limits.1)), with every seed",
                    mean <= limits.0 && covariance <= limits.1,
                    measured: "\(short(mean)), \(percent(covariance))")
            }
        }
        findings.notes = [
            "SGLD's own bias at this step, η = 0.05/h for the largest curvature h, is 2.6% of the variance there and less "
                + "elsewhere; pSGLD leaves Γ out. Both are in the limits."
        ]
        return findings
    }

    private static func percent(_ share: Double) -> String { String(format: "%.1f%%", share * 100) }
    private func percent(_ share: Double) -> String { Self.percent(share) }
    private func short(_ value: Double) -> String { String(format: "%.3g", value) }

    private static func errors(
        _ target: GaussianPosterior, _ rule: any PosteriorRule, steps: Int, seed: UInt64
    ) throws -> (mean: Double, covariance: Double, effective: Double) {
        let d = target.dimension
        var sampler = PosteriorSampler(
            try target.potential(), rule: rule, schedule: SamplingSchedule(steps: steps, thin: 10))
        sampler.seed = seed
        sampler.functions = []
        // Twice as wide as the posterior, so that a chain has something to forget.
        sampler.start = .at(
            (0..<sampler.chains).map { chain in
                var start = [Double](repeating: 0, count: d)
                var span = start.mutableSpan
                NoiseStream(
                    key: .chain(chain, seed: seed).derived("start"), step: 0, parameter: 0, term: 0
                ).fill(&span, with: .normal)
                return (0..<d).map {
                    target.mean[$0] + 2 * start[$0] * target.covariance[$0 * d + $0].squareRoot()
                }
            })
        let samples = try sampler.sample()
        let chains = try samples.elements(Array(0..<d), of: "theta")
        let draws = chains.map { $0.draws.flatMap(\.self) }
        let means = draws.map { Sample.mean($0) }
        let meanError = (0..<d).map {
            abs(means[$0] - target.mean[$0]) / target.covariance[$0 * d + $0].squareRoot()
        }
        var covariance = [Double](repeating: 0, count: d * d)
        for i in 0..<d {
            for j in 0...i {
                var sum = 0.0
                for k in draws[i].indices { sum += (draws[i][k] - means[i]) * (draws[j][k] - means[j]) }
                covariance[i * d + j] = sum / Double(draws[i].count - 1)
                covariance[j * d + i] = covariance[i * d + j]
            }
        }
        let effective = chains.prefix(10).map(\.bulkEffectiveSize).min()!
        return (meanError.max()!, target.covarianceError(of: covariance), effective)
    }
}
