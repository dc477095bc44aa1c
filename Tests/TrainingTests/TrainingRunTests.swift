import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import TorchNN
import Training

/// Training through the library.
@Suite struct TrainingRunTests {
    private static func train(
        _ settings: TrainingSettings, equation: PerturbedEquation, in directory: TemporaryDirectory? = nil,
        dropout: Double = 0
    ) throws -> ([Float], TrainingResult) {
        let directory = try directory ?? TemporaryDirectory()
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [8], dropout: dropout).build(
            input: data.inputShape, classes: 10, seed: 1)
        let plan = TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data, equation: equation, settings: settings)
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run,
            reporter: ProgressReporter(isQuiet: true), version: "test")
        let result = try trainer.train()
        return (try model.parameters.flatMap { try $0.tensor.detached().array(of: Float.self) }, result)
    }

    /// Micro-batches add up to the mean over the batch, and the noise is drawn once for the whole.
    @Test(arguments: [2, 3, 7]) func accumulationGivesTheSameStep(parts: Int) throws {
        var settings = TrainingSettings(steps: 5)
        settings.batchSize = 50
        let equation = PerturbedEquation(rule: SGD(learningRate: 0.5), perturbation: Gaussian(sigma: 0.05))
        let (whole, _) = try Self.train(settings, equation: equation)
        settings.accumulate = parts
        let (accumulated, _) = try Self.train(settings, equation: equation)
        let difference = zip(whole, accumulated).map { abs($0 - $1) }.max() ?? 1
        #expect(difference < 1e-5, "accumulating over \(parts) parts moved a parameter by \(difference)")
        #expect(difference > 0 || whole == accumulated)
    }

    /// Terms shaped by the Hessian's diagonal and made of micro-batches train a model; what they need decides nothing
    /// but the noise: at strength zero the steps are the bare rule's.
    @Test func signals() throws {
        var settings = TrainingSettings(steps: 12)
        settings.batchSize = 40
        settings.accumulate = 2
        func train(_ terms: [any Perturbation]) throws -> [Float] {
            try Self.train(
                settings, equation: PerturbedEquation(rule: Adam(learningRate: 0.01), perturbation: terms)
            ).0
        }
        let shaped = CurvatureShaped(
            sigma: .relative(0.5), source: .hessianDiagonal, estimate: HessianEstimate(every: 5, probes: 2))
        let bare = try train([])
        for terms in [[shaped], [GradDrop()], [GradientCovariance()], [shaped, GradDrop(leak: 0.5)]]
            as [[any Perturbation]]
        {
            let trained = try train(terms)
            #expect(trained.allSatisfy(\.isFinite) && trained != bare)
            #expect(try train(terms) == trained)
        }
        #expect(try train([GradDrop(leak: 1)]) == bare)
        // Gathering the micro-batches adds them up in another order of roundings.
        let gathered = try train([GradientCovariance(scale: 1e-30)])
        #expect(zip(gathered, bare).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// What terms keep, and the estimate of the Hessian's diagonal, are in the checkpoint: a run that is killed between
    /// two estimates and resumed ends with the same bits.
    @Test func signalsAreResumed() throws {
        var settings = TrainingSettings(steps: 18)
        settings.batchSize = 40
        settings.accumulate = 2
        settings.checkpointEvery = .steps(7)
        let terms: [any Perturbation] = [
            CurvatureShaped(
                sigma: .relative(0.5), source: .hessianDiagonal, estimate: HessianEstimate(every: 6)),
            Learned(sigma: 0.01, rate: 0.1), Anchor(strength: 0.1), GradDrop(leak: 0.5),
            SaddleEscape(radius: 0.1, gradientThreshold: 1e3, stepThreshold: 4), AntiCorrelated(sigma: 0.01),
        ]
        let equation = PerturbedEquation(rule: Adam(learningRate: 0.01), perturbation: terms)
        let directory = try TemporaryDirectory()
        let (whole, _) = try Self.train(settings, equation: equation, in: directory)
        let run = try RunDirectory.open(directory.file("run"))
        // As if the run had been killed after step 14.
        for step in try run.checkpoints.steps() where step > 14 {
            try FileManager.default.removeItem(at: run.checkpoints.url(step: step))
        }
        let checkpoint = try run.checkpoints.latest().checkpoint
        #expect(checkpoint.manifest.step == 14)
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [8]).build(input: data.inputShape, classes: 10, seed: 1)
        let plan = TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data, equation: equation, settings: settings)
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test", resuming: checkpoint)
        _ = try trainer.train()
        #expect(try model.parameters.flatMap { try $0.tensor.detached().array(of: Float.self) } == whole)
    }

    @Test func microBatchesAreRequired() throws {
        let data = try DatasetCatalogue.load("digits")
        for (size, accumulate, path) in [(50, 1, "training.accumulate"), (4, 2, "training.batchSize")] {
            var settings = TrainingSettings(epochs: 1)
            settings.batchSize = size
            settings.accumulate = accumulate
            let plan = TrainingPlan(
                name: "test", modelName: "mlp",
                model: try MLP(hidden: [8]).build(input: data.inputShape, classes: 10, seed: 1), data: data,
                equation: PerturbedEquation(rule: SGD(learningRate: 0.1), perturbation: GradDrop()),
                settings: settings)
            let error = #expect(throws: ConfigurationError.self) { try plan.makeOptimizer() }
            #expect(error?.path == path)
        }
    }

    /// A batch of one has no variance to normalise by: refused before the run, not a crash in its last batch.
    @Test(arguments: [(1, 1), (4, 1), (1437, 1437), (6, 4)])
    func batchesOfOneAreRefused(size: Int, accumulate: Int) throws {
        let data = try DatasetCatalogue.load("digits")
        var settings = TrainingSettings(epochs: 1)
        settings.batchSize = size
        settings.accumulate = accumulate
        func plan(batchNorm: Bool) throws -> TrainingPlan {
            TrainingPlan(
                name: "test", modelName: "mlp",
                model: try MLP(hidden: [8], batchNorm: batchNorm).build(
                    input: data.inputShape, classes: 10, seed: 1),
                data: data, equation: PerturbedEquation(rule: SGD(learningRate: 0.1)), settings: settings)
        }
        let error = #expect(throws: ConfigurationError.self) { try plan(batchNorm: true).makeOptimizer() }
        #expect(error?.path == "training.batchSize")
        _ = try plan(batchNorm: false).makeOptimizer()
    }

    /// The seed decides everything: equal seeds give equal bits, different seeds different ones.
    @Test func theSeedDecides() throws {
        var settings = TrainingSettings(steps: 5)
        let equation = PerturbedEquation(rule: Adam(learningRate: 0.01), perturbation: Gaussian(sigma: 0.05))
        let first = try Self.train(settings, equation: equation)
        let second = try Self.train(settings, equation: equation)
        #expect(first.0 == second.0)
        settings.seed = 2
        #expect(try Self.train(settings, equation: equation).0 != first.0)
    }

    /// Schedules that leave their length out get the run's: η goes from 0 to 1 over exactly its steps.
    @Test func schedulesSpanTheRun() throws {
        var settings = TrainingSettings(steps: 30)
        settings.logEvery = 1
        let directory = try TemporaryDirectory()
        let rising = PerturbedEquation(rule: SGD(learningRate: Scheduled(LinearSchedule(from: 0, to: 1))))
        let (_, result) = try Self.train(settings, equation: rising, in: directory)
        #expect(result.steps == 30 && result.epochs == 2)
        let rates = try String(contentsOf: directory.file("run/metrics.jsonl"), encoding: .utf8).split(
            separator: "\n"
        )
        .compactMap { line in
            (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["learningRate"]
                as? Double
        }
        #expect(rates.count == 30)
        for (step, rate) in rates.enumerated() { #expect(abs(rate - Double(step) / 30) < 1e-12) }
    }

    /// A step that evaluates its batch several times teaches batch normalisation once, and is reported for what it
    /// costs.
    @Test func furtherEvaluationsTeachNothing() throws {
        func train(_ perturbation: (any ParameterPerturbation)?) throws -> ([String: [Float]], TrainingResult)
        {
            let data = try DatasetCatalogue.load("digits")
            let model = try MLP(hidden: [8], dropout: 0.2, batchNorm: true).build(
                input: data.inputShape, classes: 10, seed: 1)
            let plan = TrainingPlan(
                name: "test", modelName: "mlp", model: model, data: data,
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 0), parameterPerturbation: perturbation),
                settings: TrainingSettings(steps: 4))
            let trainer = try Trainer(
                plan: plan, optimizer: plan.makeOptimizer(),
                run: RunDirectory.create(at: try TemporaryDirectory().file("run"), config: ""),
                reporter: ProgressReporter(isQuiet: true), version: "test")
            let result = try trainer.train()
            var buffers: [String: [Float]] = [:]
            for buffer in model.buffers where buffer.name.contains("running") {
                buffers[buffer.name] = try buffer.tensor.array(of: Float.self)
            }
            return (buffers, result)
        }
        // With η = 0 θ never moves, so that the first evaluations of a step are the same in all.
        let (plain, plainResult) = try train(nil)
        #expect(plain.count == 2 && plainResult.gradientEvaluations == 4 && plainResult.lossEvaluations == 0)
        for perturbation in [SAM(rho: 0.5), ASAM(rho: 0.5), GSAM(rho: 0.5)] as [any ParameterPerturbation] {
            let (buffers, result) = try train(perturbation)
            #expect(buffers == plain)
            #expect(result.gradientEvaluations == 8 && result.lossEvaluations == 0)
        }
        let (_, zeroth) = try train(MeZO())
        #expect(zeroth.gradientEvaluations == 0 && zeroth.lossEvaluations == 8)
    }

    /// SAM's second pass sees the same dropout masks: at ρ → 0 it is the plain step.
    @Test func theMasksAreTheSame() throws {
        func weights(_ perturbation: (any ParameterPerturbation)?) throws -> [Float] {
            var settings = TrainingSettings(steps: 4)
            settings.batchSize = 50
            return try Self.train(
                settings,
                equation: PerturbedEquation(
                    rule: SGD(learningRate: 0.5), parameterPerturbation: perturbation),
                dropout: 0.5
            ).0
        }
        let plain = try weights(nil)
        let tiny = try weights(SAM(rho: 1e-6))
        let large = try weights(SAM(rho: 0.5))
        func difference(_ a: [Float]) -> Float { zip(a, plain).map { abs($0 - $1) }.max() ?? 1 }
        #expect(
            difference(tiny) < 1e-4 && difference(large) > 1e-2, "\(difference(tiny)), \(difference(large))")
    }

    /// Forward passes alone train a model.
    @Test func meZOTrains() throws {
        var settings = TrainingSettings(steps: 600)
        settings.batchSize = 200
        let (_, result) = try Self.train(
            settings,
            equation: PerturbedEquation(rule: Adam(learningRate: 0.01), parameterPerturbation: MeZO()))
        #expect(try #require(result.test.accuracy) > 0.3)
        #expect(result.gradientEvaluations == 0 && result.lossEvaluations == 1200)
    }
}
