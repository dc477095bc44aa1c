import Foundation
import PerturbedEquations

/// `valley`: anti-correlated noise moves along a valley to where it is wide, noise without memory does not.
///
/// L(u, v) = ½v²‖u‖² with u ∈ ℝ¹⁰⁰: every point with v = 0 is a minimum, of curvature tr ∇²L = ‖u‖² there.
struct Valley: Reproduction {
    let id = "valley"
    let title = "Anti-correlated noise and flat minima"
    let claim =
        "Anti-correlated noise (Anti-PGD) moves to wider minima; plain gradient descent and independent noise do not."
    let source =
        "Orvieto, Kersting, Proske, Bach, Lucchi 2022, Anticorrelated Noise Injection for Improved Generalization"

    func seconds(_ scale: ReproductionScale) -> Double { 1 }

    private static let dimensions = 100
    private static let rate = 0.01
    private static let sigma = 0.05

    private enum Kind: String, SmallProblemArm {
        case gradientDescent = "gd"
        case independent = "pgd"
        case antiCorrelated = "anti-pgd"

        var summary: String {
            switch self {
            case .gradientDescent: "no noise"
            case .independent: "θ moves by σξ(t) too, ξ independent"
            case .antiCorrelated: "θ moves by σ(ξ(t+1) − ξ(t)) too"
            }
        }

        var independent: String? {
            switch self {
            case .gradientDescent: "100"
            case .independent: "183 … 206"
            case .antiCorrelated: "25"
            }
        }

        var isNegativeControl: Bool { self == .independent }

        var perturbation: [any Perturbation] {
            switch self {
            case .gradientDescent: []
            // σ of a Gaussian is in gradient units, inside the learning rate.
            case .independent: [Gaussian(sigma: .absolute(Scheduled(sigma / rate)))]
            case .antiCorrelated: [AntiCorrelated(sigma: Scheduled(sigma))]
            }
        }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let steps = 20_000
        let seeds = (1...context.pick(full: UInt64(10), quick: 3)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "L = ½v²‖u‖², u ∈ ℝ¹⁰⁰, u(0) = 1, v(0) = 0, so tr H = ‖u‖² + 100v² begins at 100; learning rate 0.01, "
                + "σ = 0.05 in units of θ, \(steps) steps, \(seeds.count) seeds")
        let found = try SmallProblemArms<Kind>(seeds: seeds, "tr H") {
            try Self.traces($0, seed: $1, steps: steps)
        }
        findings.arms = found.arms
        findings.charts = [
            .init(
                title: "Curvature of the minimum", xTitle: "step", yTitle: "tr H", isXLogarithmic: false,
                isYLogarithmic: false, lines: found.lines)
        ]
        let (still, plain, anti) = (
            found.range(.gradientDescent), found.range(.independent), found.range(.antiCorrelated)
        )
        findings.check(
            "Anti-PGD ends at tr H below 50, half of where it began, with every seed", anti.greatest < 50,
            measured: anti.words)
        findings.check(
            "gradient descent stays at tr H = 100", abs(still.least - 100) + abs(still.greatest - 100) < 1e-6,
            measured: still.words)
        findings.check(
            "independent noise of the same σ ends at tr H above 100, so that it is no wider, with every seed",
            plain.least > 100, measured: plain.words, isNegativeControl: true)
        findings.notes = [
            "Independent noise drifts to the edge of stability, ‖u‖² → (2 − 2/d)/η = 198: its variance in v no longer "
                + "outweighs the growth of u."
        ]
        return findings
    }

    /// tr H at 100 moments of a run. θ = (u, v).
    private static func traces(_ kind: Kind, seed: UInt64, steps: Int) throws -> [(x: Double, y: Double)] {
        let problem = try SmallProblem(
            start: [Double](repeating: 1, count: dimensions) + [0],
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(rate)), perturbation: kind.perturbation), seed: seed,
            steps: steps)
        func trace() -> Double {
            let (u, v) = (problem.theta.dropLast(), problem.theta[dimensions])
            return u.reduce(0) { $0 + $1 * $1 } + Double(dimensions) * v * v
        }
        var curve: [(x: Double, y: Double)] = [(0, trace())]
        for step in 0..<steps {
            try problem.step { theta, g in
                let v = theta[dimensions]
                var square = 0.0
                for j in 0..<dimensions {
                    square += theta[j] * theta[j]
                    g[j] = v * v * theta[j]
                }
                g[dimensions] = v * square
            }
            if (step + 1) % (steps / 100) == 0 { curve.append((Double(step + 1), trace())) }
        }
        return curve
    }
}
