import Foundation
import PerturbedEquations

/// `label-noise`: noise of the labels finds the sparse solution, noise of the same size in all directions does not.
///
/// y = ⟨v⊙v, x⟩ with d = 100, w* = five ones, m = 40 training points x ~ N(0, I): more unknowns than equations, so that the
/// training loss L(v) = 1/m Σ ¼(⟨v⊙v, xᵢ⟩ − yᵢ)² has many minima. From v = 1, only the noise says which of them.
struct LabelNoiseBias: Reproduction {
    let id = "label-noise"
    let title = "The implicit bias of label noise"
    let claim =
        "Noise on the labels moves gradient descent to the sparse solution; isotropic noise does not."
    let source =
        "HaoChen, Wei, Lee, Ma 2021, Shape Matters: Understanding the Implicit Bias of the Noise Covariance"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 20 : 2 }

    private static let dimensions = 100
    private static let ones = 5
    private static let points = 40

    private enum Kind: String, SmallProblemArm {
        case gradientDescent = "gd"
        case weakNoise = "gaussian-0.01"
        case strongNoise = "gaussian-1"
        case labelNoise = "label-noise"

        var summary: String {
            switch self {
            case .gradientDescent: "the gradient of all 40 points"
            case .weakNoise: "the same, and isotropic Gaussian noise, σ = 0.01 in gradient units"
            case .strongNoise:
                "the same, and isotropic Gaussian noise of the label noise's size at the start, σ = 1"
            case .labelNoise: "one random point a step, whose label is off by ±1"
            }
        }

        var independent: String? {
            switch self {
            case .gradientDescent: "56 … 85"
            case .weakNoise: "55 … 85"
            case .strongNoise: nil
            case .labelNoise: "0.0004 … 0.0014"
            }
        }

        var isNegativeControl: Bool { self == .weakNoise || self == .strongNoise }

        var perturbation: [any Perturbation] {
            switch self {
            case .gradientDescent, .labelNoise: []
            case .weakNoise: [Gaussian(sigma: 0.01)]
            case .strongNoise: [Gaussian(sigma: 1)]
            }
        }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let steps = context.pick(full: 300_000, quick: 60_000)
        let seeds = (1...context.pick(full: UInt64(8), quick: 2)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "y = ⟨v⊙v, x⟩, d = 100, five ones, 40 points x ~ N(0, I), v(0) = 1, loss ¼(·)², learning rate 0.01, "
                + "divided by 10 after a third and two thirds of \(steps) steps, \(seeds.count) seeds")
        let found = try SmallProblemArms<Kind>(seeds: seeds, "‖v² − w*‖²") {
            try Self.errors($0, seed: $1, steps: steps)
        }
        findings.arms = found.arms
        for kind in Kind.allCases {
            context.told("\(kind.rawValue): ‖v² − w*‖² = \(found.range(kind).words)")
        }
        findings.charts = [
            .init(
                title: "Distance to the sparse solution", xTitle: "step", yTitle: "‖v² − w*‖²",
                isXLogarithmic: false, isYLogarithmic: true, lines: found.lines)
        ]
        let limit = context.pick(full: 0.01, quick: 5.0)
        let worst = found.range(.labelNoise).greatest
        findings.check(
            "label noise ends with ‖v² − w*‖² below \(ReproductionReport.number(limit)) with every seed",
            worst < limit,
            measured: "at most \(ReproductionReport.number(worst))")
        for (kind, words) in [
            (Kind.gradientDescent, "gradient descent"), (.weakNoise, "isotropic noise of σ = 0.01"),
            (.strongNoise, "isotropic noise of σ = 1"),
        ] {
            let best = found.range(kind).least
            findings.check(
                "\(words) stays at ‖v² − w*‖² above 20 with every seed", best > 20,
                measured: "at least \(ReproductionReport.number(best))",
                isNegativeControl: kind != .gradientDescent)
        }
        return findings
    }

    /// ‖v² − w*‖² at 100 moments of a run.
    private static func errors(
        _ kind: Kind, seed: UInt64, steps: Int
    ) throws -> [(x: Double, y: Double)] {
        let data = SparseRegression(dimensions: dimensions, ones: ones, points: points, seed: seed)
        let rate = Scheduled(
            PiecewiseSchedule(
                [0.01, 0.001, 0.0001],
                boundaries: [StepCount(integerLiteral: steps / 3), StepCount(integerLiteral: 2 * steps / 3)]))
        let problem = try SmallProblem(
            start: [Double](repeating: 1, count: dimensions),
            equation: PerturbedEquation(
                rule: SGD(learningRate: rate), perturbation: kind.perturbation), seed: seed, steps: steps)
        let draws = NoiseKey(seed: seed).derived("label-noise")
        let (choice, sign) = (draws.derived("point"), draws.derived("sign"))
        var curve: [(x: Double, y: Double)] = [(0, data.error(UnsafeBufferPointer(problem.theta)))]
        for step in 0..<steps {
            if kind == .labelNoise {
                let point = Int(choice.uniformIndex(below: UInt64(points), UInt64(step)))
                let error = sign.word(UInt64(step)) & 1 == 0 ? 1.0 : -1
                try problem.step { data.gradient(at: $0, point: point, labelError: error, into: $1) }
            } else {
                try problem.step { data.gradient(at: $0, into: $1) }
            }
            if (step + 1) % (steps / 100) == 0 {
                curve.append((Double(step + 1), data.error(UnsafeBufferPointer(problem.theta))))
            }
        }
        return curve
    }
}
