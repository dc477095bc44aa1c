import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics

/// `sbc`: whether a sampler finds the posteriors of data that its own model made.
///
/// ```
/// θ ~ N(0, 1)³,   yᵢ ~ Bernoulli(1/(1 + exp(−w·xᵢ − b))), i = 1 … 24
/// ```
struct SimulationCalibration: Reproduction {
    let id = "sbc"
    let title = "Simulation-based calibration"
    let claim =
        "SGHMC on a logistic regression gives uniform ranks; with a temperature of 1.5, or a prior three times as wide as the one that "
        + "made the data, the same test refuses it."
    let source =
        "Talts et al. 2018, Validating Bayesian Inference Algorithms with Simulation-Based Calibration; Modrák et al. 2023"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 90 : 6 }

    /// Below it ranks are refused as not uniform, shared by the functions (Bonferroni).
    static let level = 0.001

    /// What is wrong with a sampler.
    enum Fault: String, CaseIterable {
        case none = "as the model says"
        case hot = "temperature 1.5"
        case widePrior = "prior N(0, 3²) in the sampler"
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let replications = context.pick(full: 2048, quick: 320)
        let seeds = (1...context.pick(full: UInt64(2), quick: 1)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "logistic regression with 2 weights and an intercept, prior N(0, 1), \(LogisticReplication.examples) examples with "
                + "normal features; \(replications) replications for each of \(seeds.count) seeds, 63 draws of one chain of SGHMC "
                + "each; ranks of the weights, the intercept, ‖θ‖² and U in 16 bins, χ², refused below p = \(Self.level)/5"
        )
        for fault in Fault.allCases {
            let found = try seeds.map { seed in
                var calibration = SimulationBasedCalibration<Double>(
                    replications: replications, draws: 63, bins: 16)
                calibration.seed = seed
                return try calibration.run { try LogisticReplication.replicate($0, fault) }
            }
            let least = found.map { $0.map(\.test.pValue).min()! }
            let isControl = fault != .none
            context.told("\(fault.rawValue): least p \(least.map(short).joined(separator: ", "))")
            findings.arms.append(
                .init(
                    name: fault.rawValue, summary: "SGHMC, η = \(LogisticReplication.rate), friction 0.1",
                    isNegativeControl: isControl,
                    measures: found[0].indices.map { place in
                        .init(
                            "p of \(found[0][place].name)", published: isControl ? "0" : "uniform on 0 … 1",
                            zip(seeds, found).map { ($0, $1[place].test.pValue) })
                    }, chosen: [:],
                    notes: found[0].map { "\($0.name), seed \(seeds[0]): \($0.counts)" }))
            let limit = Self.level / Double(found[0].count)
            findings.check(
                isControl
                    ? "\(fault.rawValue): refused, some p below \(short(limit)), with every seed"
                    : "\(fault.rawValue): no p below \(short(limit)), with every seed",
                isControl ? least.allSatisfy { $0 < limit } : least.allSatisfy { $0 >= limit },
                measured: "least p \(least.map(short).joined(separator: ", "))", isNegativeControl: isControl)
        }
        return findings
    }

    private func short(_ value: Double) -> String { String(format: "%.2g", value) }
}

/// One θ* of the prior, data from it, and a sampler of their posterior.
enum LogisticReplication {
    static let examples = 24
    static let rate = 0.002

    static func replicate(
        _ key: NoiseKey, _ fault: SimulationCalibration.Fault
    ) throws -> (truth: [Double], sampler: PosteriorSampler<Double>) {
        func noise(_ count: Int, _ parameter: Int, _ distribution: NoiseDistribution) -> [Double] {
            var values = [Double](repeating: 0, count: count)
            var span = values.mutableSpan
            NoiseStream(key: key.derived("model"), step: 0, parameter: parameter, term: 0).fill(
                &span, with: distribution)
            return values
        }
        let truth = noise(3, 0, .normal)
        let x = noise(2 * examples, 1, .normal)
        // √3·U(−1, 1), to 0 … 1.
        let uniform = noise(examples, 2, .uniform).map { ($0 / 3.0.squareRoot() + 1) / 2 }
        let labels = (0..<examples).map { i in
            uniform[i] < 1 / (1 + exp(-(truth[0] * x[2 * i] + truth[1] * x[2 * i + 1] + truth[2])))
        }
        let potential = try Potential<Double>.logisticRegression(
            DesignMatrix(rows: x, columns: 2), labels: labels,
            prior: GaussianPrior(deviation: fault == .widePrior ? 3 : 1))
        var sampler = PosteriorSampler(
            potential,
            rule: SGHMC(
                learningRate: Scheduled(rate), friction: 0.1, temperature: fault == .hot ? 1.5 : 1),
            schedule: SamplingSchedule(steps: 63 * 100 + 700, burnIn: 700, thin: 100))
        // Of the posterior that the model has, whatever the sampler does.
        sampler.functions = ["w₁", "w₂", "b"].enumerated().map { place, name in
            ChainFunction(name) { $0[place] }
        }
        // Coordinates hardly find a prior that is too wide: draws err to both sides of the truth. Its norm does.
        sampler.functions.append(
            ChainFunction("‖θ‖²") { $0[0] * $0[0] + $0[1] * $0[1] + $0[2] * $0[2] })
        sampler.functions.append(
            ChainFunction("U") { theta in
                (0..<examples).reduce(
                    0.5 * (theta[0] * theta[0] + theta[1] * theta[1] + theta[2] * theta[2])
                ) { sum, i in
                    let z = theta[0] * x[2 * i] + theta[1] * x[2 * i + 1] + theta[2]
                    return sum + log1p(exp(labels[i] ? -z : z))
                }
            })
        return (truth, sampler)
    }
}
