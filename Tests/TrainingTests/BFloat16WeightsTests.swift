import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Runs whose weights are bfloat16.
@Suite struct BFloat16WeightsTests {
    private static let equation = PerturbedEquation(
        rule: Momentum(learningRate: 0.05), perturbation: Gaussian(sigma: 0.01))

    private static func plan(
        _ equation: PerturbedEquation = equation, _ change: (inout TrainingSettings) -> Void = { _ in }
    ) throws -> TrainingPlan {
        var settings = TrainingSettings(steps: 40)
        settings.batchSize = 50
        settings.evaluateEvery = .steps(20)
        settings.checkpointEvery = .steps(20)
        settings.threads = 1
        settings.weights = .bfloat16
        change(&settings)
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [16], batchNorm: true).build(input: data.inputShape, classes: 10, seed: 1)
        return TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data, equation: equation, settings: settings)
    }

    private static func train(
        _ plan: TrainingPlan, in run: RunDirectory, resuming: Checkpoint? = nil
    ) throws -> TrainingResult {
        try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test", resuming: resuming
        ).train()
    }

    private static func train(_ plan: TrainingPlan) throws -> TrainingResult {
        let directory = try TemporaryDirectory()
        return try train(plan, in: RunDirectory.create(at: directory.file("run"), config: ""))
    }

    private static func weights(_ plan: TrainingPlan) throws -> [Float] {
        try plan.model.parameters.flatMap {
            try $0.tensor.detached().converted(to: .float32).array(of: Float.self)
        }
    }

    @Test(arguments: Precision.allCases) func theLossFalls(precision: Precision) throws {
        let exact = try Self.train(
            Self.plan {
                $0.weights = .float32
                $0.precision = precision
            })
        let plan = try Self.plan { $0.precision = precision }
        let result = try Self.train(plan)
        #expect(plan.model.parameters.allSatisfy { $0.tensor.dtype == .bfloat16 })
        #expect(plan.model.buffers.allSatisfy { $0.tensor.dtype != .bfloat16 })
        let (accuracy, wanted) = (try #require(result.test.accuracy), try #require(exact.test.accuracy))
        #expect(accuracy > 0.8 && abs(accuracy - wanted) < 0.05, "\(accuracy), in float32 \(wanted)")
        #expect(result.test.loss != exact.test.loss)
    }

    /// What the run measures is what a float32 model measures with the weights that it saved: the last ones, those of the
    /// best checkpoint, and their mean.
    @Test(arguments: [nil, WeightAverage.ema(decay: 0.9)])
    func evaluationIsThatOfTheSameNumbers(average: WeightAverage?) throws {
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let result = try Self.train(Self.plan { $0.average = average }, in: run)
        let saved = try SafetensorsFile(contentsOf: run.model)
        #expect(saved.tensors.contains { $0.type == .bfloat16 })
        let fresh = try Self.plan { $0.average = average }
        func measured() throws -> Evaluation {
            #expect(fresh.model.parameters.allSatisfy { $0.tensor.dtype == .float32 })
            return try Evaluation.measure(fresh.model, on: fresh.data.test, of: fresh.data.kind)
        }
        try fresh.model.loadState(from: saved)
        #expect(try measured() == result.test)
        try run.checkpoints.latest().checkpoint.installJudgedWeights(in: fresh, isBest: false)
        fresh.roundWeights()
        #expect(try measured() == result.test)
    }

    /// Killed and resumed: the same bits, with evaluations at other parameters and without gradients too.
    @Test(
        arguments: [nil, SAM(rho: 0.05), EntropySGD(steps: 3), MeZO(epsilon: 0.01)]
            as [(any ParameterPerturbation)?])
    func resumesToTheSameBits(perturbation: (any ParameterPerturbation)?) throws {
        let equation = PerturbedEquation(
            rule: Adam(learningRate: 0.002), parameterPerturbation: perturbation,
            perturbation: Gaussian(sigma: .relative(0.1)))
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let whole = try Self.plan(equation)
        let before = try Self.weights(whole)
        _ = try Self.train(whole, in: run)
        #expect(try Self.weights(whole) != before)
        try FileManager.default.removeItem(at: run.checkpoints.url(step: 40))
        let (checkpoint, _) = try run.checkpoints.latest()
        #expect(checkpoint.manifest.step == 20)
        #expect(checkpoint.file.tensors.contains { $0.name.hasPrefix("model.") && $0.type == .bfloat16 })
        let again = try Self.plan(equation)
        _ = try Self.train(again, in: run, resuming: checkpoint)
        #expect(try Self.weights(again) == Self.weights(whole))
    }

    /// Steps far below the spacing of bfloat16: rounded to nearest not one weight moves.
    @Test func roundingDecides() throws {
        for rounding in Rounding.allCases {
            let plan = try Self.plan(PerturbedEquation(rule: SGD(learningRate: 1e-6), rounding: rounding))
            try plan.model.convertWeights(to: .bfloat16)
            let before = try Self.weights(plan)
            _ = try Self.train(plan)
            // A weight of zero has no spacing: biases move.
            let moved = zip(before, try Self.weights(plan)).count { $0 != 0 && $0 != $1 }
            #expect((moved > 0) == (rounding == .stochastic), "\(rounding): \(moved) moved")
        }
    }

    @Test func roundingOfNothingIsRefused() throws {
        let equation = PerturbedEquation(rule: SGD(learningRate: 0.1), rounding: .nearest)
        let error = #expect(throws: ConfigurationError.self) {
            try Self.plan(equation) { $0.weights = .float32 }.makeOptimizer()
        }
        #expect(error?.path == "rounding")
        #expect(error?.message.contains("no parameter is bfloat16") == true, "\(String(describing: error))")
        _ = try Self.plan(equation).makeOptimizer()
    }

    /// A network of each kind, in both precisions.
    @Test(arguments: ["gpt", "transformer", "lstm", "gru", "vit"], Precision.allCases)
    func networksTrain(name: String, precision: Precision) throws {
        let (model, data) = try CurvatureRunTests.network(name)
        var plan = EvaluationCases.plan(model, data) {
            $0.steps = 5
            $0.batchSize = 8
            $0.precision = precision
            $0.weights = .bfloat16
        }
        plan.equation = Self.equation
        let result = try Self.train(plan)
        #expect(result.steps == 5 && result.test.loss.isFinite)
        #expect(try Self.weights(plan).allSatisfy(\.isFinite))
        #expect(plan.model.parameters.allSatisfy { $0.tensor.dtype == .bfloat16 })
    }

    @Test func theUpdateOnCopiesHasTheSameBits() throws {
        let (direct, staged) = (try Self.plan(), try Self.plan { $0.stagesUpdate = true })
        _ = try Self.train(direct)
        _ = try Self.train(staged)
        #expect(try Self.weights(direct) == Self.weights(staged))
    }
}
