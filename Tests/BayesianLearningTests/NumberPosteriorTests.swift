import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Statistics
import TestSupport
import Testing
import Torch
import TorchNN

/// The predictive distribution of numbers, in closed form.
@Suite struct NumberPosteriorTests {
    private static func density(_ y: Double, _ mean: Double, _ deviation: Double) -> Double {
        exp(-0.5 * pow((y - mean) / deviation, 2)) / (deviation * (2 * Double.pi).squareRoot())
    }

    @Test func aToyByHand() throws {
        let scale = TargetScale(mean: 10, deviation: 4)
        let toy = try ScriptedMembers(means: [[0, 1], [2, 1]], targets: [0.5, 1.25], scale: scale)
        let found = try NumberPosterior.measure(
            toy.members, toy.model, deviation: 0.5, on: toy.data, of: toy.kind)
        #expect(found.members == 2 && found.count == 2)
        // Both predict 1; in the unit of the targets.
        let rmse: Double = 4 * (0.3125 / 2).squareRoot()
        #expect(abs(found.rmse - rmse) < 1e-12 && abs(found.mae - 1.5) < 1e-12)
        let first = 0.5 * (Self.density(0.5, 0, 0.5) + Self.density(0.5, 2, 0.5))
        let second = Self.density(1.25, 1, 0.5)
        let density: Double = (log(first) + log(second)) / 2 - log(4)
        #expect(abs(found.logDensity - density) < 1e-12)
        #expect(abs(found.aleatoricVariance - 4) < 1e-12)
        // (1 + 0)/2 of the members' variance.
        #expect(abs(found.epistemicVariance - 8) < 1e-12)
        let alone = [0.0, 2].map { mean -> Double in
            (log(Self.density(0.5, mean, 0.5)) + log(second)) / 2 - log(4)
        }
        #expect(abs(found.meanMember.logDensity - Sample.mean(alone)) < 1e-12)
        #expect(found.meanMember.logDensity <= found.logDensity && found.meanMember.rmse >= found.rmse)
    }

    /// One member is a normal distribution: its intervals are z·σ wide to each side, and hold what lies within.
    @Test func intervalsOfOneMember() throws {
        let errors = (0..<40).map { -1.95 + Double($0) * 0.1 }
        let toy = try ScriptedMembers(
            means: [[Float](repeating: 0.5, count: 40)], targets: errors.map { Float(0.5 + $0) },
            scale: TargetScale(mean: -3, deviation: 2))
        let found = try NumberPosterior.measure(
            toy.members, toy.model, deviation: 1, on: toy.data, of: toy.kind)
        #expect(found.intervals.map(\.level) == [0.5, 0.9, 0.95] && found.epistemicVariance == 0)
        for (interval, z) in zip(found.intervals, [0.674489750196, 1.644853626951, 1.959963984540]) {
            #expect(abs(interval.width - 2 * 2 * z) < 1e-9, "\(interval)")
            #expect(interval.coverage == Double(errors.count { abs($0) < z }) / 40, "\(interval)")
        }
        #expect(found.coverages[9] == found.intervals[0].coverage && found.coverages.count == 19)
        #expect(found.coverages == found.coverages.sorted())
    }

    /// Draws of a chain against the exact posterior predictive N(xᵀm, σ² + xᵀΣx) of Bayesian linear regression.
    @Test func theExactPredictive() throws {
        Threads.count = 1
        let problem = try NetworkChainTests.Regression(seed: 33)
        let directory = try TemporaryDirectory()
        let chains = try (0..<4).map {
            try problem.chain(SGHMC(learningRate: 2e-4, friction: 0.1), batchSize: 48, number: $0)
        }
        let sampler = try ChainSampler(
            chains, schedule: SamplingSchedule(steps: 9000, burnIn: 1000, thin: 10), to: directory.url,
            prepare: { Threads.count = 1 })
        while !sampler.isFinished { try sampler.advance(by: 1000) }
        let members = SampleMembers(try Samples(contentsOf: directory.url), atMost: 1600)
        let noise = NetworkChainTests.Regression.noise
        let model = try MLP(hidden: []).build(for: problem.data.kind, seed: 0)
        let found = try NumberPosterior.measure(
            members, model, deviation: noise, on: problem.data.test, of: problem.data.kind)
        let (mean, covariance) = (problem.posterior.mean, problem.covariance)
        var (squares, logs, epistemic) = (0.0, 0.0, 0.0)
        for (x, y) in zip(problem.x, problem.y) {
            let predicted = zip(x, mean).reduce(0) { $0 + $1.0 * $1.1 }
            let variance = zip(x, covariance).reduce(0) { sum, row in
                sum + row.0 * zip(row.1, x).reduce(0) { $0 + $1.0 * $1.1 }
            }
            squares += (predicted - y) * (predicted - y)
            epistemic += variance
            logs += log(Self.density(y, predicted, (noise * noise + variance).squareRoot()))
        }
        let n = Double(problem.y.count)
        #expect(members.count == 1600 && found.count == 48)
        // A posterior deviation of 0.1 from hundreds of independent draws.
        #expect(abs(found.rmse - (squares / n).squareRoot()) < 0.01, "\(found.rmse)")
        #expect(abs(found.epistemicVariance / (epistemic / n) - 1) < 0.12, "\(found.epistemicVariance)")
        #expect(abs(found.logDensity - logs / n) < 0.005, "\(found.logDensity), exact \(logs / n)")
        #expect(found.logDensity > found.meanMember.logDensity)
    }

    @Test func theDeviationOfResiduals() throws {
        let toy = try ScriptedMembers(means: [[0, 0], [2, 2]], targets: [1.5, 0], scale: TargetScale())
        let found = try NumberPredictions.collect(toy.members, toy.model, on: [toy.data], of: toy.kind)[0]
        #expect(abs(found.deviation - 0.625.squareRoot()) < 1e-12)
    }
}
