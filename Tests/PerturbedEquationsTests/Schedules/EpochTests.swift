import Foundation
import PerturbedEquations
import Testing

/// Lengths in epochs are lengths in steps, once the length of an epoch is known.
@Suite struct EpochTests {
    static let run = RunLength(steps: 1000, stepsPerEpoch: 20)

    static let pairs: [(Scheduled, Scheduled)] = [
        (
            Scheduled(StepSchedule(from: 1, factor: 0.5, every: .epochs(3))).warmup(.epochs(0.5)),
            Scheduled(StepSchedule(from: 1, factor: 0.5, every: 60)).warmup(10)
        ),
        (
            Scheduled(CosineSchedule(from: 1, steps: .epochs(7))),
            Scheduled(CosineSchedule(from: 1, steps: 140))
        ),
        (
            Scheduled(CosineSchedule(from: 1)).warmup(.epochs(5)),
            Scheduled(CosineSchedule(from: 1)).warmup(100)
        ),
        (
            Scheduled(LinearSchedule(from: 1, to: 0, steps: .epochs(2.5))),
            Scheduled(LinearSchedule(from: 1, to: 0, steps: 50))
        ),
        (
            Scheduled(PolynomialSchedule(from: 1, steps: .epochs(9))),
            Scheduled(PolynomialSchedule(from: 1, steps: 180))
        ),
        (
            Scheduled(OneCycleSchedule(peak: 1, steps: .epochs(9))),
            Scheduled(OneCycleSchedule(peak: 1, steps: 180))
        ),
        (
            Scheduled(RiseNearTheEndSchedule(from: 1, to: 2, steps: .epochs(9))),
            Scheduled(RiseNearTheEndSchedule(from: 1, to: 2, steps: 180))
        ),
        (
            Scheduled(CosineRestartsSchedule(from: 1, period: .epochs(4), periodFactor: 2)),
            Scheduled(CosineRestartsSchedule(from: 1, period: 80, periodFactor: 2))
        ),
        (
            Scheduled(PiecewiseSchedule([1, 2, 3], boundaries: [30, .epochs(4)])),
            Scheduled(PiecewiseSchedule([1, 2, 3], boundaries: [30, 80]))
        ),
        (
            Scheduled(1).then(at: .epochs(2), Scheduled(CosineSchedule(from: 1))),
            Scheduled(1).then(at: 40, Scheduled(CosineSchedule(from: 1)))
        ),
        (
            Scheduled(StepSchedule(from: 1, factor: 0.5, every: .epochs(3))) * 2 + 1,
            Scheduled(StepSchedule(from: 1, factor: 0.5, every: 60)) * 2 + 1
        ),
    ]

    @Test func areStepsOnceAnEpochIsKnown() {
        for (epochs, steps) in Self.pairs {
            let (a, b) = (epochs.resolved(for: Self.run), steps.resolved(for: Self.run))
            #expect(!a.needsHorizon)
            for step in 0..<400 { #expect(a.value(at: step) == b.value(at: step), "\(a.base) at \(step)") }
        }
    }

    /// Without the length of an epoch the optimizer refuses them, and says what is missing.
    @Test func needTheLengthOfAnEpoch() throws {
        for (epochs, _) in Self.pairs {
            #expect(epochs.needsHorizon)
            let error = #expect(throws: ConfigurationError.self) {
                try PerturbedOptimizer(
                    parameters: [ParameterSpec("w", shape: [2])],
                    equation: PerturbedEquation(rule: SGD(learningRate: epochs)), seed: 1, horizon: 1000)
            }
            #expect(error?.message.contains("lengths in epochs need `stepsPerEpoch`") == true)
            #expect(error?.path == "rule.sgd.learningRate")
            _ = try PerturbedOptimizer(
                parameters: [ParameterSpec("w", shape: [2])],
                equation: PerturbedEquation(rule: SGD(learningRate: epochs)), seed: 1, horizon: 1000,
                stepsPerEpoch: 20)
        }
    }

    /// Wherever the schedule is.
    @Test func theirPlaceIsNamed() throws {
        let open = Scheduled(LinearSchedule(from: 1, to: 0.5))
        let sgd = SGD(learningRate: 0.1)
        for (path, equation) in [
            (
                "perturbation.1.gaussian.sigma.relative",
                PerturbedEquation(
                    rule: sgd, perturbation: WeightPenalty(l2: 1), Gaussian(sigma: .relative(open)))
            ),
            (
                "perturbation.0.mixture.parts.1.weight",
                PerturbedEquation(
                    rule: sgd,
                    perturbation: Mixture([
                        .init(Gaussian(sigma: 1), weight: 1), .init(Gaussian(sigma: 1), weight: open),
                    ]))
            ),
            (
                "parameterPerturbation.sam.rho",
                PerturbedEquation(rule: sgd, parameterPerturbation: SAM(rho: open))
            ),
            (
                "stability.trustRegion.ratio",
                PerturbedEquation(rule: sgd, stability: Stability(trustRegion: TrustRegion(ratio: open)))
            ),
            (
                "controllers.0.targetNoiseRatio.target",
                PerturbedEquation(
                    rule: sgd, perturbation: [Gaussian(sigma: 1)],
                    controllers: [TargetNoiseRatio(target: open)])
            ),
        ] as [(String, PerturbedEquation)] {
            let error = #expect(throws: ConfigurationError.self) {
                try PerturbedOptimizer(
                    parameters: [ParameterSpec("w", shape: [2])], equation: equation, seed: 1)
            }
            #expect(error?.path == path)
        }
    }

    @Test(arguments: [
        (#"{"step": {"from": 1, "factor": 0.1, "every": {"epochs": 0}}}"#, "step.every", "is {epochs: 0.0}"),
        (#"{"cosine": {"from": 1, "warmup": {"epochs": -1}}}"#, "warmup", "is {epochs: -1.0}"),
        (
            #"{"piecewise": {"values": [1, 2, 3], "boundaries": [{"epochs": 3}, {"epochs": 2}]}}"#,
            "piecewise.boundaries", "each later than the one before"
        ),
    ])
    func wrongLengthsAreRefused(text: String, path: String, words: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try JSONDecoder().decode(Scheduled.self, from: Data(text.utf8))
        }
        #expect(error?.path == path)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [#"{"epochs": 1, "steps": 1}"#, "{}"])
    func oneUnitIsWanted(text: String) throws {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(StepCount.self, from: Data(text.utf8))
        }
        #expect("\(String(describing: error))".contains("give one of 'steps' and 'epochs'"))
    }
}
