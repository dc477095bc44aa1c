import Datasets
import Foundation
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// The pipeline on tokens: the loss is the mean over the targets that are asked for, whatever the micro-batches.
@Suite struct TokenRunTests {
    /// Scores of the next token from the token alone: a table.
    private struct Bigram: Module {
        let table: Embedding
        var children: [NamedModule] { [NamedModule("table", table)] }
        func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
            table.forward(x, context.entering("table"))
        }
    }

    private static let kind = ExampleKind(.tokens(vocabulary: 5, length: 4), .classPerToken(of: 5))

    /// Each token is followed by the next number; the number of targets asked for differs from row to row.
    private static func split() throws -> DataSplit {
        var (tokens, targets): ([Int32], [Int64]) = ([], [])
        for row in 0..<40 {
            for place in 0..<4 {
                tokens.append(Int32((row + place) % 5))
                targets.append(place <= row % 4 ? Int64((row + place + 1) % 5) : TargetKind.ignored)
            }
        }
        return try DataSplit(tokens: tokens, length: 4, targets: targets, named: "next")
    }

    private static func train(_ settings: TrainingSettings, sigma: Double = 0) throws -> (
        [Float], TrainingResult
    ) {
        let split = try split()
        let data = Dataset(
            name: "next", kind: kind, classNames: (0..<5).map(String.init), train: split, test: split)
        let model = Bigram(table: try Embedding(5, 5, seed: 1))
        let plan = TrainingPlan(
            name: "test", modelName: "bigram", model: model, data: data,
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1), perturbation: Gaussian(sigma: .absolute(Scheduled(sigma)))),
            settings: settings)
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let result = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run,
            reporter: ProgressReporter(isQuiet: true), version: "test"
        ).train()
        return (try model.table.weight.detached().array(of: Float.self), result)
    }

    @Test func theTableIsLearnt() throws {
        var settings = TrainingSettings(epochs: 30)
        settings.batchSize = 8
        let (_, result) = try Self.train(settings)
        #expect(result.test.accuracy == 1 && result.test.count == 100)
        #expect(abs((result.test.perplexity ?? 0) - exp(result.test.loss)) < 1e-12 && result.test.loss < 0.3)
    }

    @Test(arguments: [2, 3, 8]) func microBatchesWeighByTargets(parts: Int) throws {
        for (smoothing, sigma) in [(0, 0), (0.2, 0), (0.2, 0.1)] {
            var settings = TrainingSettings(steps: 5)
            settings.batchSize = 8
            settings.labelSmoothing = smoothing
            let (whole, _) = try Self.train(settings, sigma: sigma)
            settings.accumulate = parts
            // The noise is drawn once for the whole batch.
            let (accumulated, _) = try Self.train(settings, sigma: sigma)
            let difference = zip(whole, accumulated).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-5, "\(parts) parts moved a parameter by \(difference)")
            #expect(try sigma == 0 || Self.train(settings).0 != accumulated)
        }
    }

    /// A smoothed loss pulls scores that are not asked for together too; the evaluation's is not smoothed.
    @Test func labelSmoothing() throws {
        var settings = TrainingSettings(epochs: 30)
        settings.batchSize = 8
        settings.labelSmoothing = 0.3
        let (_, result) = try Self.train(settings)
        #expect(result.test.accuracy == 1)
        // The best scores give the class a share of 0.7 + 0.3/5.
        let least = -log(0.7 + 0.3 / 5)
        #expect(result.test.loss > least - 0.01 && result.test.loss < least + 0.2, "\(result.test.loss)")
    }

    /// Evaluations every n steps; the best is the best in the loss, unless the settings say otherwise.
    @Test func evaluatesEveryFewSteps() throws {
        var settings = TrainingSettings(steps: 11)
        settings.batchSize = 8
        settings.evaluateEvery = .steps(4)
        for (metric, mode) in [(nil, Metric.loss), (.perplexity, .perplexity), (.accuracy, .accuracy)]
            as [(Metric?, Metric)]
        {
            settings.bestBy = metric
            let best = try #require(try Self.train(settings).1.best)
            #expect(best.metric == mode && [4, 8, 11].contains(best.step))
            #expect(metric == .accuracy || best.step == 11)
        }
        settings.bestBy = .rmse
        let error = #expect(throws: ConfigurationError.self) { try Self.train(settings) }
        #expect(error?.description.contains("bestBy: is rmse") == true)
        #expect(error?.description.contains("allowed: loss, perplexity, accuracy") == true)
    }

    /// The evaluation is the mean over all targets, computed here by hand.
    @Test func evaluationSeesOnlyWhatIsAskedFor() throws {
        let split = try Self.split()
        let model = Bigram(table: try Embedding(5, 5, seed: 3))
        let weight = try model.table.weight.detached().logSoftmax().array(of: Float.self)
        var (loss, count, correct) = (0.0, 0.0, 0.0)
        for row in 0..<40 {
            for place in 0...(row % 4) {
                let token = (row + place) % 5
                let scores = weight[token * 5..<token * 5 + 5]
                loss -= Double(scores[scores.startIndex + (token + 1) % 5])
                correct +=
                    scores.firstIndex(of: scores.max()!)! - scores.startIndex == (token + 1) % 5 ? 1 : 0
                count += 1
            }
        }
        let measured = try Evaluation.measure(model, on: split, of: Self.kind)
        #expect(abs(measured.loss - loss / count) < 1e-5)
        #expect(abs((measured.accuracy ?? 0) - correct / count) < 1e-12 && measured.count == 100)
    }

    @Test func noiseOnTokensIsRefused() throws {
        var settings = TrainingSettings(steps: 1)
        settings.inputNoise = InputNoise(sigma: 0.1)
        let error = #expect(throws: ConfigurationError.self) { try Self.train(settings) }
        #expect(error?.path == "training.inputNoise")
    }
}
