import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics
import TestSupport
import Testing

/// A chain samples the density that it is asked for, or says why it does not begin.
@Suite struct HonestDensityTests {
    private func message(_ equation: PerturbedEquation) throws -> String {
        var sampler = PosteriorSampler(
            try SamplingTests.correlated(Double.self), equation: equation,
            schedule: SamplingSchedule(steps: 20))
        sampler.chains = 1
        do { _ = try sampler.sample() } catch let error as ConfigurationError { return "\(error)" }
        return "accepted"
    }

    private static let rule = SGLD(learningRate: 0.01)

    /// Where a guard binds, the density is another one.
    @Test func guardsThatBindAreRefused() throws {
        let guards: [(name: String, stability: Stability)] = [
            ("clipValue", Stability(clipValue: 1)), ("clipNorm", Stability(clipNorm: 1)),
            ("clipGlobalNorm", Stability(clipGlobalNorm: 1)),
            ("clipAdaptive", Stability(clipAdaptive: AdaptiveClip(ratio: 0.1))),
            ("perturbationToGradient", Stability(perturbationToGradient: 1)),
            ("varianceBound", Stability(varianceBound: 1)), ("sigmaMax", Stability(sigmaMax: 1)),
            ("trustRegion", Stability(trustRegion: TrustRegion(ratio: 0.1))),
            ("rollbackOnSpike", Stability(rollbackOnSpike: SpikeGuard())),
        ]
        for (name, stability) in guards {
            let found = try message(PerturbedEquation(rule: Self.rule, stability: stability))
            #expect(found.contains("stability.\(name)") && found.contains("another density"), "\(found)")
        }
        #expect(try message(PerturbedEquation(rule: Self.rule)) == "accepted")
        #expect(try message(PerturbedEquation(rule: Self.rule, stability: .none)) == "accepted")
    }

    /// Before the first step, not at it.
    @Test func termsThatNeedMoreThanAGradientAreRefused() throws {
        let found = try message(
            PerturbedEquation(rule: Self.rule, perturbation: GradientCovariance()))
        #expect(found.contains("perturbation") && found.contains("which a chain does not give"), "\(found)")
        let controlled = try message(
            PerturbedEquation(
                rule: Self.rule, controllers: [GradientNoiseScale(target: 100)]))
        #expect(controlled.contains("gradientNoiseScale"), "\(controlled)")
    }

    /// What follows the path makes the noise or the step a function of θ.
    @Test func controllersAreRefused() throws {
        let controllers: [any Controller] = [
            Plateau(scales: .learningRate), Plateau(), LossImprovement(),
            ParameterDistance(scales: .learningRate, target: 0.1, of: .step), TargetNoiseRatio(target: 0.1),
        ]
        for controller in controllers {
            let name = type(of: controller).catalogueEntry.name
            let found = try message(
                PerturbedEquation(
                    rule: Self.rule, perturbation: Gaussian(sigma: 0.1), controllers: [controller]))
            #expect(
                found.hasPrefix("controllers: has \(name), which follows the chain's own path"), "\(found)")
        }
    }

    /// While a run goes on, functions are kept of every k-th draw, whatever interrupts it; the files have them all.
    @Test func theHistoryIsBounded() throws {
        let directory = try TemporaryDirectory()
        var sampler = PosteriorSampler(
            try SamplingTests.correlated(Double.self), rule: Self.rule,
            schedule: SamplingSchedule(steps: 9000, burnIn: 0))
        sampler.chains = 2
        let place = directory.file("s")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let running = try sampler.chainSampler(to: place)
        while !running.isFinished { try running.advance(by: 700) }
        let all = try Samples(contentsOf: place).function("theta[0]").draws
        let kept = running.chains(of: 1).draws
        #expect(all[0].count == 9000 && kept.count == 2)
        // 2048 draws, then every second, fourth and eighth.
        for chain in 0..<2 {
            #expect(kept[chain] == stride(from: 0, to: 9000, by: 8).map { all[chain][$0] })
        }
        #expect(abs(Chains(kept).splitRHat - Chains(all).splitRHat) < 0.02)
    }
}
