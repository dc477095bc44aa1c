import Foundation
import PerturbedEquations
import Statistics

/// `octopus`: gradient descent pays more for every saddle point that it passes, perturbed gradient descent about the same.
struct Octopus: Reproduction {
    let id = "octopus"
    let title = "Escape from saddle points"
    let claim =
        "Past d saddle points, plain gradient descent needs a number of steps that is exponential in d, and kicks where the "
        + "gradient vanishes (PGD) make it about linear."
    let source =
        "Du et al. 2017, Gradient Descent Can Take Exponential Time to Escape Saddle Points; Jin et al. 2017, How to Escape "
        + "Saddle Points Efficiently"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 4 : 1 }

    private static let dimensions = 5
    private static let leaving = 1.0
    private static let limit = 20_000

    private struct Kind: Hashable {
        var held: Double
        var isKicked: Bool

        var name: String { "\(isKicked ? "pgd" : "gd"), L = \(ReproductionReport.number(held))" }

        var independent: String? {
            switch (held, isKicked) {
            case (1, false): "537"
            case (1, true): "105"
            case (2, false): "3775"
            case (2, true): "165"
            case (3, false): "more than 20000"
            default: nil
            }
        }

        /// The step size, 1/(4L).
        var rate: Double { 1 / (4 * held) }

        var perturbation: [any Perturbation] {
            guard isKicked else { return [] }
            // The paper's radius is in units of θ; SaddleEscape's is inside the learning rate.
            return [
                SaddleEscape(
                    radius: Scheduled(OctopusFunction.tau / 100 / rate),
                    gradientThreshold: Scheduled(leaving * OctopusFunction.tau / 100), stepThreshold: 1)
            ]
        }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let curvatures = context.pick(full: [1, 1.5, 2, 3], quick: [1, 2])
        let seeds = (1...context.pick(full: UInt64(31), quick: 5)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "the octopus function, d = 5, γ = 1, τ = e, L ∈ {\(curvatures.map(ReproductionReport.number).joined(separator: ", "))}, "
                + "x(0) ~ U[−1, 1]⁵, step size 1/(4L); PGD: ball of radius e/100 where ‖∇f‖ ≤ γe/100, every other step at most; "
                + "steps until all coordinates are past their saddle, at most \(Self.limit), \(seeds.count) seeds"
        )
        let kinds = [false, true].flatMap { isKicked in
            curvatures.map { Kind(held: $0, isKicked: isKicked) }
        }
        let cells = kinds.flatMap { kind in seeds.map { (kind: kind, seed: $0) } }
        let passages = try sideBySide(cells) { try Self.passages($0.kind, seed: $0.seed) }
        var medians: [Kind: Double] = [:]
        var chart = ReproductionReport.Chart(
            title: "Steps past all saddles", xTitle: "L/γ", yTitle: "steps (median and range)",
            isXLogarithmic: false, isYLogarithmic: true, lines: [],
            caption: "The median over seeds; the band reaches from the least to the greatest.")
        for isKicked in [false, true] {
            let own = kinds.filter { $0.isKicked == isKicked }
            var line = ReproductionReport.Chart.Line(
                arm: isKicked ? "pgd" : "gd", x: [], mean: [], lower: [], upper: [])
            for kind in own {
                let number = kinds.firstIndex(of: kind)!
                let steps = passages[(number * seeds.count)..<((number + 1) * seeds.count)].map {
                    $0.count == Self.dimensions ? Double($0.last!) : Double(Self.limit)
                }
                let median = Sample.quantile(0.5, ofSorted: steps.sorted())
                medians[kind] = median
                let lost = passages[(number * seeds.count)..<((number + 1) * seeds.count)].count {
                    $0.count < Self.dimensions
                }
                findings.arms.append(
                    .init(
                        name: kind.name, summary: isKicked ? "kicks where the gradient vanishes" : "no kicks",
                        isNegativeControl: false,
                        measures: [
                            .init(
                                "steps, at most \(Self.limit)", published: "a figure",
                                independent: kind.independent,
                                zip(seeds, steps).map { (seed: $0, value: $1) })
                        ], chosen: [:],
                        notes: lost > 0
                            ? ["\(lost) of \(seeds.count) seeds had not arrived after \(Self.limit) steps."]
                            : []))
                line.x.append(kind.held / Self.leaving)
                line.mean.append(median)
                line.lower.append(steps.min()!)
                line.upper.append(steps.max()!)
            }
            chart.lines.append(line)
        }
        findings.charts = [chart]
        judge(medians, curvatures, &findings)
        findings.notes = [
            "Independent figures are medians. In float64 a coordinate that shrinks for more than about 1,000 steps becomes "
                + "exactly 0, from where no gradient leads away: at large L nothing but noise does."
        ]
        return findings
    }

    private func judge(
        _ medians: [Kind: Double], _ curvatures: [Double], _ findings: inout ReproductionFindings
    ) {
        func median(_ held: Double, _ isKicked: Bool) -> Double {
            medians[Kind(held: held, isKicked: isKicked)] ?? .nan
        }
        let growth = (plain: median(2, false) / median(1, false), kicked: median(2, true) / median(1, true))
        findings.check(
            "from L = 1 to L = 2, the median steps of gradient descent grow at least fivefold",
            growth.plain >= 5,
            measured: String(
                format: "%.1f times (%.0f to %.0f)", growth.plain, median(1, false), median(2, false)))
        findings.check(
            "those of PGD grow at most threefold", growth.kicked <= 3,
            measured: String(
                format: "%.1f times (%.0f to %.0f)", growth.kicked, median(1, true), median(2, true)))
        let slowest = curvatures.map { median($0, false) / median($0, true) }.min() ?? .nan
        findings.check(
            "PGD needs at most half of gradient descent's median steps at every L", slowest >= 2,
            measured: String(format: "gradient descent needs %.1f times as many, or more", slowest))
    }

    /// The step after which each coordinate was past its saddle, until all are or the limit is reached.
    private static func passages(_ kind: Kind, seed: UInt64) throws -> [Int] {
        let function = OctopusFunction(dimensions: dimensions, held: kind.held, leaving: leaving)
        let key = NoiseKey(seed: seed).derived("octopus")
        // The same start for every L and arm.
        let start = (0..<dimensions).map { 2 * key.uniform(UInt64($0)) - 1 }
        let problem = try SmallProblem(
            start: start,
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(kind.rate)), perturbation: kind.perturbation), seed: seed,
            steps: limit)
        var passages: [Int] = []
        for step in 0..<limit where passages.count < dimensions {
            try problem.step(function.gradient)
            let passed = function.passed(UnsafeBufferPointer(problem.theta))
            while passages.count < passed { passages.append(step + 1) }
        }
        return passages
    }
}
