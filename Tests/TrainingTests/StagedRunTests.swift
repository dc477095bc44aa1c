import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Runs whose update works on copies, as on a GPU: the same files as runs whose update works in place.
@Suite struct StagedRunTests {
    private static func plan(_ equation: PerturbedEquation, isStaged: Bool) throws -> TrainingPlan {
        var settings = TrainingSettings(steps: 24)
        settings.batchSize = 50
        settings.accumulate = 2
        settings.evaluateEvery = .steps(8)
        settings.checkpointEvery = .steps(6)
        settings.threads = 1
        settings.average = .ema(decay: 0.8)
        settings.stagesUpdate = isStaged
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [16], dropout: 0.1, batchNorm: true).build(
            input: data.inputShape, classes: 10, seed: 1)
        return TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data, equation: equation, settings: settings)
    }

    /// The weights, the last checkpoint and the metrics of a run, broken off once where asked.
    private static func outcome(
        _ equation: PerturbedEquation, isStaged: Bool, breakingAt step: Int? = nil
    ) throws -> [String: Data] {
        let directory = try TemporaryDirectory()
        let url = directory.file("run")
        var files = try TrainedRun.files(at: url, breakingAt: step) {
            try plan(equation, isStaged: isStaged)
        }
        let (last, damaged) = try RunDirectory.open(url).checkpoints.latest()
        #expect(damaged.isEmpty && last.manifest.step == 24)
        for tensor in last.file.tensors {
            files[tensor.name] = tensor.withUnsafeBytes { Data($0) }
        }
        return files
    }

    @Test(arguments: [nil, SAM(rho: 0.05)] as [(any ParameterPerturbation)?])
    func haveTheSameFiles(perturbation: (any ParameterPerturbation)?) throws {
        let equation = PerturbedEquation(
            rule: Adam(learningRate: 0.01), parameterPerturbation: perturbation,
            perturbation: Gaussian(sigma: .relative(0.2)),
            stability: Stability(clipGlobalNorm: 1))
        let direct = try Self.outcome(equation, isStaged: false)
        #expect(direct.count > 10)
        for step in [nil, 15] as [Int?] {
            let staged = try Self.outcome(equation, isStaged: true, breakingAt: step)
            #expect(staged.keys.sorted() == direct.keys.sorted())
            for (name, bits) in direct { #expect(staged[name] == bits, "\(name) differs") }
        }
    }
}
