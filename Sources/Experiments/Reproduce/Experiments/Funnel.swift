import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics

/// `funnel`: where plain SGLD fails, and the diagnostics say so.
///
/// v ~ N(0, 3²), xᵢ ~ N(0, eᵛ), i = 1 … 9: no single step size fits the neck, where e⁻ᵛ is large, and the mouth.
struct Funnel: Reproduction {
    let id = "funnel"
    let title = "Neal's funnel"
    let claim =
        "On Neal's funnel SGLD fails and the diagnostics say so; in coordinates without the neck it samples, and they agree."
    let source =
        "Neal 2003, Slice Sampling, section 8; Betancourt and Girolami 2015 for the other coordinates"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 20 : 3 }

    private static let width = 9
    private static let deviation = 3.0

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let steps = context.pick(full: 400_000, quick: 60_000)
        let seeds = (1...context.pick(full: UInt64(5), quick: 2)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "v ~ N(0, 3²), xᵢ ~ N(0, eᵛ), i = 1 … \(Self.width); SGLD, 4 chains of \(steps) steps, half of them burn-in, every "
                + "20th a draw; the funnel with η = 0.002, and (v/3, x·e^(−v/2)) with η = 0.05; \(seeds.count) seeds"
        )
        let funnel = try Self.funnel()
        let straight = try Self.straight()
        let centred = try seeds.map { try Self.judge(funnel, rate: 0.002, steps: steps, seed: $0) { $0[0] } }
        let other = try seeds.map {
            try Self.judge(straight, rate: 0.05, steps: steps, seed: $0) { Self.deviation * $0[0] }
        }
        for (name, summary, found, isControl) in [
            ("funnel", "SGLD in the funnel's own coordinates", centred, true),
            ("straight", "SGLD in v/3 and x·e^(−v/2)", other, false),
        ] {
            findings.arms.append(
                .init(
                    name: name, summary: summary, isNegativeControl: isControl,
                    measures: [
                        .init("deviation of v", published: "3", zip(seeds, found).map { ($0, $1.deviation) }),
                        .init(
                            "5% quantile of v", published: "−4.93", zip(seeds, found).map { ($0, $1.lower) }),
                        .init("split R̂ of v", published: "1", zip(seeds, found).map { ($0, $1.splitRHat) }),
                        .init(
                            "effective size of v, tails", zip(seeds, found).map { ($0, $1.tailEffectiveSize) }
                        ),
                    ], chosen: [:],
                    notes: found.compactMap(\.warning).prefix(1).map { "The diagnostics: \($0)." }))
        }
        findings.check(
            "the diagnostics warn of the funnel with every seed", centred.allSatisfy { $0.warning != nil },
            measured: centred[0].warning ?? "no warning", isNegativeControl: true)
        findings.check(
            "SGLD misses the funnel's neck: the 5% quantile of v is off by more than 0.5 with most seeds",
            centred.count { abs($0.lower + 1.644_854 * Self.deviation) > 0.5 } * 2 > seeds.count,
            measured: centred.map { String(format: "%.2f", $0.lower) }.joined(separator: ", "),
            isNegativeControl: true)
        findings.check(
            "without the neck the deviation of v is within 10% of 3 with every seed",
            other.allSatisfy { abs($0.deviation - Self.deviation) < 0.1 * Self.deviation },
            measured: other.map { String(format: "%.2f", $0.deviation) }.joined(separator: ", "))
        findings.check(
            "and the diagnostics do not warn with most seeds",
            other.count { $0.warning == nil } * 2 > seeds.count,
            measured: "\(other.count { $0.warning == nil }) of \(seeds.count) without a warning")
        return findings
    }

    private static func judge(
        _ potential: Potential<Double>, rate: Double, steps: Int, seed: UInt64,
        v: @escaping @Sendable (Span<Double>) -> Double
    ) throws -> ChainDiagnostics {
        var sampler = PosteriorSampler(
            potential, rule: SGLD(learningRate: Scheduled(rate)),
            schedule: SamplingSchedule(steps: steps, thin: 20))
        sampler.seed = seed
        sampler.functions = [ChainFunction("v", v)]
        return ChainDiagnostics(try sampler.sample().function("v"))
    }

    private static func funnel() throws -> Potential<Double> {
        let (n, s) = (width, deviation)
        return try Potential(dimension: n + 1) { theta, gradient in
            let v = theta[0]
            let precision = exp(-v)
            var squares = 0.0
            for i in 1...n {
                squares += theta[i] * theta[i]
                gradient[i] = precision * theta[i]
            }
            gradient[0] = v / (s * s) + 0.5 * Double(n) - 0.5 * precision * squares
            return 0.5 * v * v / (s * s) + 0.5 * Double(n) * v + 0.5 * precision * squares
        }
    }

    private static func straight() throws -> Potential<Double> {
        try Potential(dimension: width + 1) { theta, gradient in
            var energy = 0.0
            for i in 0..<theta.count {
                gradient[i] = theta[i]
                energy += 0.5 * theta[i] * theta[i]
            }
            return energy
        }
    }
}
