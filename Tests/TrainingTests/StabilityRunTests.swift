import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import TorchNN
import Training

/// The stability controller and the closed loops in training.
@Suite struct StabilityRunTests {
    /// A run on the digits: the model as it is at the end, the result, and the lines of its log.
    static func train(
        _ equation: PerturbedEquation, _ settings: TrainingSettings, batchNorm: Bool = false
    ) throws -> (model: any Module, result: TrainingResult, lines: [[String: Any]]) {
        let directory = try TemporaryDirectory()
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [8], batchNorm: batchNorm).build(
            input: data.inputShape, classes: 10, seed: 1)
        let plan = TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data, equation: equation, settings: settings)
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test")
        let result = try trainer.train()
        #expect(try TrainingResult(contentsOf: run.result) == result)
        let lines = try String(contentsOf: run.metrics, encoding: .utf8).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        return (model, result, lines.filter { $0["kind"] as? String == "train" })
    }

    static func buffers(_ model: any Module) throws -> [[Double]] {
        try model.buffers.map { try $0.tensor.converted(to: .float64).array(of: Double.self) }
    }

    /// After a rollback batch normalisation's running statistics are those of the snapshot, too.
    @Test func runningStatisticsRollBack() throws {
        // The update of step 12 ruins the parameters, the loss of step 13 shows it; the snapshot is of step 10.
        let rate = Scheduled(PiecewiseSchedule([0.1, 1e6, 0.1], boundaries: [12, 13]))
        let equation = PerturbedEquation(
            rule: SGD(learningRate: rate),
            stability: Stability(rollbackOnSpike: SpikeGuard(window: 10, minimumHistory: 5, snapshotEvery: 5))
        )
        let spoilt = try Self.train(equation, TrainingSettings(steps: 14), batchNorm: true)
        #expect(spoilt.result.stability.counts.rolledBack == 1)
        #expect(spoilt.lines.contains { $0["event"] as? String == "rolledBack" && $0["step"] as? Int == 14 })
        // A snapshot is taken after the step's forward pass: after eleven of them.
        let good = try Self.train(equation, TrainingSettings(steps: 11), batchNorm: true)
        #expect(try Self.buffers(spoilt.model) == Self.buffers(good.model))
        #expect(try Self.buffers(spoilt.model).joined().allSatisfy { $0.isFinite })
        let other = try Self.train(equation, TrainingSettings(steps: 12), batchNorm: true)
        #expect(try Self.buffers(other.model) != Self.buffers(good.model))
    }

    /// The effective perturbation is in the log where it is asked for; for SGD it is the ratio of the norms.
    @Test func effectivePerturbationIsLogged() throws {
        let equation = PerturbedEquation(rule: SGD(learningRate: 0.1), perturbation: Gaussian(sigma: 0.01))
        var settings = TrainingSettings(steps: 20)
        settings.logEvery = 5
        #expect(try Self.train(equation, settings).lines.allSatisfy { $0["effectivePerturbation"] == nil })
        settings.logEffectivePerturbation = true
        let lines = try Self.train(equation, settings).lines
        #expect(lines.count == 4)
        for line in lines {
            let effective = try #require(line["effectivePerturbation"] as? Double)
            let ratio = try #require(line["perturbationToGradient"] as? Double)
            #expect(abs(effective / ratio - 1) < 1e-3)
        }
    }

    /// What happened is in the result, in numbers and in words.
    @Test func theReport() throws {
        let equation = PerturbedEquation(
            rule: Adam(learningRate: 0.01), perturbation: Gaussian(sigma: 0.5),
            stability: Stability(
                clipValue: 1e-3, clipGlobalNorm: 1e-3, clipAdaptive: AdaptiveClip(ratio: 1e-6),
                perturbationToGradient: 0.1, varianceBound: 0.1, sigmaMax: 0.4,
                trustRegion: TrustRegion(ratio: 1e-6)),
            controllers: [TargetNoiseRatio(target: 0.05, every: 1), Plateau(scales: .learningRate)])
        let (_, result, lines) = try Self.train(equation, TrainingSettings(steps: 20))
        let report = result.stability
        #expect(
            report.counts.steps == 20 && report.counts.clipped == 20 && report.counts.adaptivelyClipped == 20)
        #expect(report.counts.trustLimited == 20)
        #expect(report.counts.clippedByValue == 20 && report.counts.strengthsBounded > 0)
        #expect(report.counts.varianceBounded > 0 && report.counts.bounded > 0)
        #expect(report.controllers?.map(\.name) == ["targetNoiseRatio", "plateau"])
        #expect(report.controllers?.map(\.scales) == [.sigma, .learningRate])
        #expect(report.strengthFactor == report.controllers?[0].factor && report.strengthFactor < 0.1)
        for part in [
            "20 steps clipped by value", "20 steps clipped,", "noise strengths bounded", "20 updates limited",
            "targetNoiseRatio: sigma × ", "noise × ",
        ] {
            #expect(report.text.contains(part), "\(report.text)")
        }
        #expect(lines.allSatisfy { $0["strengthFactor"] is Double && $0["trustScale"] is Double })
        let calm = try Self.train(PerturbedEquation(rule: SGD(learningRate: 0.1)), TrainingSettings(steps: 5))
        #expect(calm.result.stability.text == "never stepped in" && calm.result.stability.controllers == nil)
    }

    /// The gradient noise scale needs micro-batches: refused without, at work with them.
    @Test func gradientNoiseScale() throws {
        let equation = PerturbedEquation(
            rule: SGD(learningRate: 0.1),
            controllers: [GradientNoiseScale(scales: .learningRate, minimumHistory: 5)])
        var settings = TrainingSettings(steps: 40)
        let error = #expect(throws: ConfigurationError.self) { try Self.train(equation, settings) }
        #expect(error?.path == "training.accumulate")
        settings.accumulate = 4
        let factor = try #require(try Self.train(equation, settings).result.stability.controllers?[0].factor)
        #expect(factor > 0 && factor < 1)
    }
}
