import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import Training

/// Batches that a thread prepares are those that are loaded on the spot.
@Suite struct BatchLoaderTests {
    private func settings(_ steps: Int) -> TrainingSettings {
        var settings = TrainingSettings(steps: steps)
        settings.batchSize = 1024
        settings.accumulate = 2
        settings.threads = 1
        settings.checkpointEvery = .steps(5)
        settings.augment = Augmentation(crop: 1, flip: true, cutout: 2)
        settings.corrupt = Corruption(blur: 1, gaussian: 2, rate: 0.5)
        settings.inputNoise = InputNoise(sigma: 0.1)
        settings.labelNoise = LabelNoise(rate: 0.1)
        return settings
    }

    private func plan(_ settings: TrainingSettings) throws -> TrainingPlan {
        let data = try DatasetCatalogue.load("digits")
        let equation = PerturbedEquation(
            rule: Momentum(learningRate: 0.05), parameterPerturbation: SAM(rho: 0.05))
        return TrainingPlan(
            name: "test", modelName: "mlp", model: try MLP(hidden: [8]).build(for: data.kind, seed: 1),
            data: data, equation: equation, settings: settings)
    }

    private func train(_ settings: TrainingSettings, in directory: TemporaryDirectory) throws -> [Float] {
        let plan = try plan(settings)
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test")
        _ = try trainer.train()
        return try DataNoiseTests.weights(plan)
    }

    /// Whole runs end with the same bits: with and without a thread, and resumed in the middle of an epoch.
    @Test func theThreadChangesNoBit() throws {
        let directory = try TemporaryDirectory()
        let ahead = try train(settings(9), in: directory)
        var foreground = settings(9)
        foreground.loadsInBackground = false
        #expect(try train(foreground, in: TemporaryDirectory()) == ahead)
        var plain = settings(9)
        plain.augment = nil
        #expect(try train(plain, in: TemporaryDirectory()) != ahead)

        let plan = try plan(settings(9))
        let run = try RunDirectory.open(directory.file("run"))
        for step in try run.checkpoints.steps() where step > 5 {
            try FileManager.default.removeItem(at: run.checkpoints.url(step: step))
        }
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test", resuming: run.checkpoints.latest().0)
        _ = try trainer.train()
        #expect(try DataNoiseTests.weights(plan) == ahead)
    }

    /// Whatever is expected, and in whatever order it is asked for, a batch is that of its request.
    @Test func batchesAreThoseAskedFor() throws {
        let plan = try plan(settings(9))
        let noise = try plan.noise()
        let data = plan.data
        let ahead = BatchLoader(data.train, of: data.kind, noise: noise, inBackground: true)
        let plain = BatchLoader(data.train, of: data.kind, noise: noise)
        let order = Array((0..<1437).reversed())
        let requests = (0..<6).map {
            BatchLoader.Request(order[$0 * 100..<$0 * 100 + 600], step: $0, epoch: $0 / 2)
        }
        func expectEqual(_ request: BatchLoader.Request) throws {
            let (a, b) = try (ahead.load(request), plain.load(request))
            #expect(try a.inputs.array(of: Float.self) == b.inputs.array(of: Float.self))
            #expect(try a.targets.array(of: Int64.self) == b.targets.array(of: Int64.self))
        }
        for first in 0..<5 {
            try ahead.expect([requests[first], requests[first + 1]])
            try expectEqual(requests[first + 1])
            try expectEqual(requests[first])
            try expectEqual(requests[first])
            try expectEqual(requests[(first + 3) % 6])
        }
    }
}
