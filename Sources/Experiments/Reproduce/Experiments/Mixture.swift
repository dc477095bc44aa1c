import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics

/// `mixture`: Langevin dynamics finds both modes of a posterior, a gradient step without its noise neither.
///
/// x ~ ½N(θ₁, 2) + ½N(θ₁ + θ₂, 2), θ₁ ~ N(0, 10), θ₂ ~ N(0, 1), N = 100 points drawn at θ = (0, 1). The posterior has a second
/// mode at θ = (1, −1).
struct Mixture: Reproduction {
    let id = "mixture"
    let title = "Langevin dynamics on a posterior with two modes"
    let claim =
        "SGLD with one point a step samples the posterior, both modes; the same steps without noise are far from it."
    let source = "Welling, Teh 2011, Bayesian Learning via Stochastic Gradient Langevin Dynamics, section 5.1"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 30 : 3 }

    private static let points = 100
    /// Of a point.
    private static let variance = 2.0
    private static let priorVariances = (10.0, 1.0)

    private enum Kind: String, SmallProblemArm {
        case paper = "sgld"
        case fixed = "sgld-fixed"
        case noiseless = "no-noise"

        var summary: String {
            switch self {
            case .paper: "one point a step, ε from 0.01 to 0.0001 as a power law"
            case .fixed: "ten points a step, ε = 0.001, as many steps"
            case .noiseless: "as sgld, without the noise: stochastic gradient descent"
            }
        }

        var independent: String? {
            switch self {
            case .paper: "0.051"
            case .fixed: "0.042"
            case .noiseless: "0.61"
            }
        }

        var isNegativeControl: Bool { self == .noiseless }
        var batchSize: Int { self == .fixed ? 10 : 1 }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let sweeps = context.pick(full: 10_000, quick: 1500)
        let seeds = (1...context.pick(full: UInt64(5), quick: 2)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "x ~ ½N(θ₁, 2) + ½N(θ₁ + θ₂, 2), θ₁ ~ N(0, 10), θ₂ ~ N(0, 1), \(Self.points) points from θ = (0, 1); \(sweeps) sweeps, "
                + "ε(t) = a(b + t)^−0.55 from 0.01 to 0.0001 (η = ε/2), draws weighted by ε(t); total variation to the exact "
                + "posterior on bins of 0.5 over [−2, 3] × [−3.5, 3.5]; \(seeds.count) seeds, each with points of its own"
        )
        let found = try SmallProblemArms<Kind>(seeds: seeds, "total variation") {
            let exact = MixturePosterior(
                data: Self.data(seed: $1), Self.variance, Self.priorVariances)
            return [(Double(sweeps), try Self.distance($0, seed: $1, steps: sweeps * Self.points, exact))]
        }
        findings.arms = found.arms
        let (paper, fixed, none) = (found.range(.paper), found.range(.fixed), found.range(.noiseless))
        let limit = context.pick(full: 0.08, quick: 0.5)
        findings.check(
            "SGLD at the paper's schedule is within total variation \(limit) of the exact posterior, in the mean over seeds",
            Sample.mean(found.arms[0].measures[0].values) <= limit, measured: paper.words)
        findings.check(
            "SGLD at a fixed step is within \(limit), in the mean over seeds",
            Sample.mean(found.arms[1].measures[0].values) <= limit, measured: fixed.words)
        findings.check(
            "without noise the distance is above 0.4 with every seed", none.least > 0.4, measured: none.words,
            isNegativeControl: true)
        findings.notes = [
            "What is left is mostly the share of each mode, between which a chain passes some dozens of times. On bins of 0.2 the "
                + "distances are larger by about 0.01."
        ]
        return findings
    }

    /// Points of the mixture at θ = (0, 1).
    private static func data(seed: UInt64) -> [Double] {
        let key = NoiseKey(seed: seed).derived("mixture")
        var x = [Double](repeating: 0, count: points)
        var span = x.mutableSpan
        NoiseStream(key: key, step: 0, parameter: 0, term: 0).fill(
            &span, with: .normal, scale: variance.squareRoot())
        return x.enumerated().map { $1 + (key.uniform(UInt64($0)) < 0.5 ? 0 : 1) }
    }

    private static func distance(
        _ kind: Kind, seed: UInt64, steps: Int, _ exact: MixturePosterior
    ) throws -> Double {
        // ε = a(b + t)^−γ with ε(0) = 0.01 and ε(steps) = 0.0001: a/(1 + t/b)^γ of another a.
        let b = Double(steps) / (pow(100, 1 / 0.55) - 1)
        func epsilon(_ step: Int) -> Double { kind == .fixed ? 1e-3 : 0.01 / pow(1 + Double(step) / b, 0.55) }
        let rate: Scheduled =
            kind == .fixed
            ? Scheduled(5e-4) : Scheduled(StretchedPower(from: 0.005, exponent: 0.55, stretch: b))
        let potential = try Potential<Double>(
            dimension: 2, examples: points, batchSize: kind.batchSize, prior: nil
        ) { theta, batch, gradient in
            var losses = 0.0
            for i in 0..<batch.count {
                let (loss, first, second) = exact.loss(theta[0], theta[1], of: batch[i])
                losses += loss
                gradient[0] += first
                gradient[1] += second
            }
            return losses
        }
        var sampler = PosteriorSampler(
            potential, rule: SGLD(learningRate: rate, temperature: kind == .noiseless ? 0 : 1),
            schedule: SamplingSchedule(steps: steps, burnIn: steps / 100))
        (sampler.chains, sampler.threads, sampler.seed, sampler.functions) = (1, 1, seed, [])
        let samples = try sampler.sample()
        let draws = try samples.elements([0, 1], of: "theta").map { $0.draws[0] }
        return exact.totalVariation(
            (0..<samples.draws).map { (draws[0][$0], draws[1][$0], epsilon($0 + steps / 100)) })
    }
}

/// a/(1 + t/b)^p.
private struct StretchedPower: Schedule {
    var from: Double
    var exponent: Double
    var stretch: Double

    func value(at step: Int) -> Double { from / pow(1 + Double(step) / stretch, exponent) }

    static let catalogueEntry = CatalogueEntry(
        name: "stretchedPower", summary: "A power law of a stretched time.", equation: "f(t) = a/(1 + t/b)^p",
        parameters: [], source: "Welling and Teh 2011")
}

/// The mixture's posterior: its losses, and its exact probabilities of the bins of a grid.
struct MixturePosterior: Sendable {
    private let data: [Double]
    private let variance: Double
    private let priors: (Double, Double)
    private var probabilities: [Double] = []

    private static let (least, width) = ((-2.0, -3.5), 0.5)
    private static let bins = (10, 14)
    /// Points of a bin, each way, for its probability.
    private static let fine = 12

    init(data: [Double], _ variance: Double, _ priors: (Double, Double)) {
        (self.data, self.variance, self.priors) = (data, variance, priors)
        var logs: [[Double]] = []
        for i in 0..<(Self.bins.0 * Self.bins.1) {
            logs.append(
                (0..<(Self.fine * Self.fine)).map { place in
                    let x = Double(i / Self.bins.1) + (Double(place / Self.fine) + 0.5) / Double(Self.fine)
                    let y = Double(i % Self.bins.1) + (Double(place % Self.fine) + 0.5) / Double(Self.fine)
                    let theta = (Self.least.0 + x * Self.width, Self.least.1 + y * Self.width)
                    return -data.indices.reduce(0.0) { $0 + loss(theta.0, theta.1, of: $1).loss }
                })
        }
        let largest = logs.joined().max()!
        let masses = logs.map { $0.reduce(0) { $0 + exp($1 - largest) } }
        let total = masses.reduce(0, +)
        probabilities = masses.map { $0 / total }
    }

    /// −log p(xᵢ|θ) − log p(θ)/N and its derivatives.
    func loss(_ first: Double, _ second: Double, of point: Int) -> (loss: Double, Double, Double) {
        let a = data[point] - first
        let b = a - second
        let (left, right) = (exp(-a * a / (2 * variance)), exp(-b * b / (2 * variance)))
        // The share of the second part; far from both, where all underflows, the nearer one's.
        let whole = left + right
        let share = whole > 0 ? right / whole : abs(b) < abs(a) ? 1 : 0
        let n = Double(data.count)
        let prior = (first * first / priors.0 + second * second / priors.1) / (2 * n)
        let likelihood = whole > 0 ? -log(whole) : min(a * a, b * b) / (2 * variance)
        return (
            likelihood + prior,
            -((1 - share) * a + share * b) / variance + first / (priors.0 * n),
            -share * b / variance + second / (priors.1 * n)
        )
    }

    /// ½Σ|p − q| over the bins, with q the weighted share of draws in each, and what lies outside all.
    func totalVariation(_ draws: [(Double, Double, weight: Double)]) -> Double {
        var shares = [Double](repeating: 0, count: probabilities.count)
        var (outside, total) = (0.0, 0.0)
        for (x, y, weight) in draws {
            total += weight
            let (i, j) = ((x - Self.least.0) / Self.width, (y - Self.least.1) / Self.width)
            guard i >= 0, j >= 0, i < Double(Self.bins.0), j < Double(Self.bins.1) else {
                outside += weight
                continue
            }
            shares[Int(i) * Self.bins.1 + Int(j)] += weight
        }
        return zip(shares, probabilities).reduce(outside / total) { $0 + abs($1.0 / total - $1.1) } / 2
    }
}
