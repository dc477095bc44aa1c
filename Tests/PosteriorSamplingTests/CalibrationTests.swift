import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics
import Testing

/// Simulation-based calibration of a linear regression, and of samplers that are wrong.
@Suite struct CalibrationTests {
    enum Fault: CaseIterable { case none, hot, forgottenPrior, forgottenData }

    private static let (points, noise) = (3, 1.0)

    private func ranks(_ fault: Fault, seed: UInt64) throws -> [SimulationBasedCalibration<Double>.Ranks] {
        var calibration = SimulationBasedCalibration<Double>(replications: 960, draws: 31, bins: 8)
        calibration.seed = seed
        return try calibration.run { key in
            func normal(_ count: Int, _ parameter: Int) -> [Double] {
                var values = [Double](repeating: 0, count: count)
                var span = values.mutableSpan
                NoiseStream(key: key, step: 0, parameter: parameter, term: 0).fill(&span, with: .normal)
                return values
            }
            let (truth, x, errors) = (normal(2, 0), normal(Self.points, 1), normal(Self.points, 2))
            let y = (0..<Self.points).map { truth[0] * x[$0] + truth[1] + Self.noise * errors[$0] }
            var sampler = PosteriorSampler(
                try Potential<Double>.linearRegression(
                    DesignMatrix(rows: x, columns: 1), targets: y,
                    deviation: fault == .forgottenData ? 1000 : Self.noise,
                    prior: GaussianPrior(deviation: fault == .forgottenPrior ? 10 : 1)),
                rule: SGHMC(learningRate: 0.01, friction: 0.2, temperature: fault == .hot ? 1.5 : 1),
                schedule: SamplingSchedule(steps: 31 * 60 + 300, burnIn: 300, thin: 60))
            // Coordinates alone hardly find a sampler without the prior, or without the data: draws err to both sides of the truth.
            sampler.functions.append(ChainFunction("norm") { $0[0] * $0[0] + $0[1] * $0[1] })
            sampler.functions.append(
                ChainFunction("loss") { theta in
                    (0..<Self.points).reduce(0.0) {
                        let error = theta[0] * x[$1] + theta[1] - y[$1]
                        return $0 + error * error
                    }
                })
            return (truth, sampler)
        }
    }

    /// At a level of 0.001 for all functions together; the seed is fixed, so that the right sampler fails never or always.
    @Test(arguments: Fault.allCases) func onlyTheRightSamplerIsAccepted(_ fault: Fault) throws {
        let seed: UInt64 = 20_181
        let found = try ranks(fault, seed: seed)
        #expect(found.map(\.name) == ["theta[0]", "theta[1]", "norm", "loss"])
        #expect(found.allSatisfy { $0.ranks.count == 960 && $0.counts.reduce(0, +) == 960 })
        let least = found.map(\.test.pValue).min()!
        let level = 0.001 / Double(found.count)
        let told: Comment =
            "\(fault), seed \(seed): \(found.map { "\($0.name) \($0.counts) p \($0.test.pValue)" })"
        if fault == .none { #expect(least > level, told) } else { #expect(least < level, told) }
    }
}
