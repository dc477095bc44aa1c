import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// The mean of the weights, observers and mixed precision, through the library.
@Suite struct WeightAverageTests {
    private static func weights(_ model: any Module) -> [Float] {
        model.parameters.flatMap { (try? $0.tensor.detached().array(of: Float.self)) ?? [] }
    }

    /// What batch normalisation has learnt.
    private static func statistics(_ model: any Module) -> [Float] {
        model.submodules(of: BatchNorm.self).flatMap {
            [$0.runningMean, $0.runningVariance].flatMap { (try? $0.array(of: Float.self)) ?? [] }
        }
    }

    /// Collects what it is told, and stops or fails where it is asked to.
    private final class Recorder: TrainingObserver {
        struct Failure: Error {}
        var weights: [[Float]] = []
        var statistics: [[Float]] = []
        var losses: [Double] = []
        var evaluations: [Evaluation] = []
        var measured: [[Float]] = []
        var checkpoints: [Int] = []
        var stopAt: Int?
        var failAt: Int?

        func stepped(_ moment: TrainingMoment, loss: Double, report: StepReport) throws {
            weights.append(WeightAverageTests.weights(moment.model))
            statistics.append(WeightAverageTests.statistics(moment.model))
            losses.append(loss)
            if moment.step == failAt { throw Failure() }
        }

        func evaluated(_ moment: TrainingMoment, _ evaluation: Evaluation, isBest _: Bool) {
            evaluations.append(evaluation)
            measured.append(WeightAverageTests.weights(moment.model))
        }

        func saved(_ moment: TrainingMoment, checkpoint: URL) {
            if FileManager.default.fileExists(atPath: checkpoint.path) { checkpoints.append(moment.step) }
        }

        func wantsToStop(_ moment: TrainingMoment) -> Bool { moment.step == stopAt }
    }

    private static func plan(_ change: (inout TrainingSettings) -> Void = { _ in }) throws -> TrainingPlan {
        var settings = TrainingSettings(steps: 30)
        settings.batchSize = 50
        settings.evaluateEvery = .steps(10)
        settings.checkpointEvery = .steps(5)
        settings.threads = 1
        change(&settings)
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [16], batchNorm: true).build(input: data.inputShape, classes: 10, seed: 1)
        return TrainingPlan(
            name: "test", modelName: "mlp", model: model, data: data,
            equation: PerturbedEquation(
                rule: Momentum(learningRate: 0.05), perturbation: Gaussian(sigma: 0.01)),
            settings: settings)
    }

    private static func trainer(
        _ plan: TrainingPlan, _ run: RunDirectory, _ recorder: Recorder, resuming: Checkpoint? = nil
    ) throws -> Trainer {
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test", resuming: resuming)
        trainer.observers = [recorder]
        return trainer
    }

    private static func train(_ plan: TrainingPlan, _ recorder: Recorder) throws -> TrainingResult {
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        return try trainer(plan, run, recorder).train()
    }

    private static func distance(_ a: [Float], _ b: [Double]) -> Double {
        a.count == b.count ? zip(a, b).map { abs(Double($0) - $1) }.max() ?? 1 : .infinity
    }

    // MARK: The mean

    /// The mean that the run evaluates and leaves in the model is the formula's, and training does not feel it.
    @Test(arguments: [WeightAverage.ema(decay: 0.9), .swa(from: 10, every: 5)])
    func theMeanIsTheFormulas(average: WeightAverage) throws {
        let recorder = Recorder()
        let plan = try Self.plan { $0.average = average }
        let result = try Self.train(plan, recorder)
        var mean = recorder.weights[0].map(Double.init)
        switch average {
        case .ema(let decay):
            for weights in recorder.weights.dropFirst() {
                mean = zip(mean, weights).map { decay * $0 + (1 - decay) * Double($1) }
            }
        case .swa:
            let taken = [15, 20, 25, 30].map { recorder.weights[$0 - 1] }
            mean = mean.indices.map { place in taken.reduce(0) { $0 + Double($1[place]) } / 4 }
        }
        #expect(Self.distance(Self.weights(plan.model), mean) < 1e-6)
        #expect(recorder.measured.last == Self.weights(plan.model))
        #expect(result.test == recorder.evaluations.last)
        #expect(Self.distance(recorder.weights[29], mean) > 1e-4, "the mean is the last weights")

        let plain = Recorder()
        _ = try Self.train(try Self.plan(), plain)
        #expect(plain.weights == recorder.weights, "the mean has changed the training")
        #expect(
            plain.statistics == recorder.statistics, "the mean has changed what batch normalisation learns")
    }

    /// An exponential mean averages what batch normalisation has learnt like the weights.
    @Test func anExponentialMeanAveragesStatistics() throws {
        let recorder = Recorder()
        let plan = try Self.plan { $0.average = .ema(decay: 0.8) }
        _ = try Self.train(plan, recorder)
        var mean = recorder.statistics[0].map(Double.init)
        for statistics in recorder.statistics.dropFirst() {
            mean = zip(mean, statistics).map { 0.8 * $0 + 0.2 * Double($1) }
        }
        #expect(mean.count == 32 && Self.distance(Self.statistics(plan.model), mean) < 1e-4)
        #expect(Self.distance(recorder.statistics[29], mean) > 1e-2)
    }

    /// Under a plain mean batch normalisation has the statistics of the training data under those weights: computed here
    /// from all of the data at once. (1437 = 3·479: the batches are equal, so that a mean of means is the mean.)
    @Test func aPlainMeanLearnsStatisticsAnew() throws {
        let recorder = Recorder()
        let plan = try Self.plan {
            $0.average = .swa(from: 4, every: 3)
            $0.batchSize = 479
        }
        _ = try Self.train(plan, recorder)
        let count = plan.data.train.count
        var features = [Float](repeating: 0, count: count * 64)
        var labels = [Int64](repeating: 0, count: count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                plan.data.train.copyBatch(ArraySlice(0..<count), into: features, labels: $0)
            }
        }
        let linear = try #require(plan.model.submodules(of: Linear.self).first)
        let norm = try #require(plan.model.submodules(of: BatchNorm.self).first)
        let hidden = try Tensor(features, shape: [count, 64]).linear(linear.weight, linear.bias).detached()
            .converted(to: .float64)
        let mean = hidden.mean(along: 0)
        let variance = (hidden - mean).squared().mean(along: 0)
        let means = try mean.array(of: Double.self)
        let variances = try variance.array(of: Double.self)
        #expect(Self.distance(try norm.runningMean.array(of: Float.self), means) < 1e-4)
        for (found, wanted) in zip(try norm.runningVariance.array(of: Float.self), variances) {
            #expect(abs(Double(found) - wanted) < 0.05 * wanted, "\(found), \(wanted)")
        }
        #expect(norm.batchesTracked.itemInteger() == 3)
        #expect(Self.distance(Array(recorder.statistics[29].prefix(16)), means) > 1e-3)
    }

    /// The mean over a mean's own batches is torch's `momentum=None`.
    @Test func cumulativeStatisticsAreMeans() throws {
        let norm = try BatchNorm(3, .vectors)
        var context = ForwardContext(training: true, seed: 1)
        context.averagesStatistics = true
        var means = [Double](repeating: 0, count: 3)
        for seed in 0..<4 {
            let x = try Tensor.normal([5 + seed, 3], mean: Double(seed), seed: UInt64(seed))
            _ = norm.forward(x, context)
            let own = try x.converted(to: .float64).mean(along: 0).array(of: Double.self)
            means = zip(means, own).map { $0 + $1 / 4 }
        }
        #expect(Self.distance(try norm.runningMean.array(of: Float.self), means) < 1e-6)
        norm.resetStatistics()
        #expect(try norm.runningVariance.array(of: Float.self) == [1, 1, 1])
        #expect(norm.batchesTracked.itemInteger() == 0)
    }

    /// A mean that takes in no step of the run is a mistake.
    @Test func aMeanOfNothingIsRefused() throws {
        let plan = try Self.plan { $0.average = .swa(from: 26, every: 5) }
        let error = #expect(throws: ConfigurationError.self) { try plan.makeOptimizer() }
        #expect(error?.path == "training.average.swa.from")
    }

    /// Before the first step that counts, the weights themselves are measured.
    @Test func withoutAMeanTheWeightsAreMeasured() throws {
        let recorder = Recorder()
        _ = try Self.train(try Self.plan { $0.average = .swa(from: 10, every: 1) }, recorder)
        #expect(recorder.measured[0] == recorder.weights[9])
        #expect(recorder.measured[1] != recorder.weights[19])
    }

    /// A run that ends between two checkpoints and goes on has the same mean to the bit.
    @Test(arguments: [WeightAverage.ema(decay: 0.9), .swa(from: 3, every: 2)])
    func theMeanIsResumed(average: WeightAverage) throws {
        let whole = try Self.plan { $0.average = average }
        _ = try Self.train(whole, Recorder())
        let directory = try TemporaryDirectory()
        let broken = Recorder()
        broken.failAt = 17
        do {
            let run = try RunDirectory.create(at: directory.file("run"), config: "")
            let plan = try Self.plan { $0.average = average }
            #expect(throws: Recorder.Failure.self) { try Self.trainer(plan, run, broken).train() }
        }
        #expect(broken.checkpoints == [5, 10, 15])
        let run = try RunDirectory.open(directory.file("run"))
        let resumed = try Self.plan { $0.average = average }
        let (checkpoint, damaged) = try run.checkpoints.latest()
        #expect(damaged.isEmpty && checkpoint.manifest.step == 15)
        _ = try Self.trainer(resumed, run, Recorder(), resuming: checkpoint).train()
        #expect(Self.weights(resumed.model) == Self.weights(whole.model))
        #expect(Self.statistics(resumed.model) == Self.statistics(whole.model))
    }

    // MARK: Observers

    @Test func observersAreTold() throws {
        let recorder = Recorder()
        let result = try Self.train(try Self.plan(), recorder)
        #expect(recorder.losses.count == 30)
        #expect(recorder.evaluations.count == 3)
        #expect(recorder.checkpoints == [5, 10, 15, 20, 25, 30])
        #expect(result.test == recorder.evaluations.last)
    }

    @Test func observersStopARun() throws {
        let recorder = Recorder()
        recorder.stopAt = 7
        let result = try Self.train(try Self.plan(), recorder)
        #expect(result.steps == 7 && result.status == .stoppedEarly)
        #expect(recorder.checkpoints == [5, 7])
    }

    // MARK: Precision

    /// A linear layer under autocast is the product of the bfloat16 operands, and its weights are not touched.
    @Test func autocastTakesBFloat16() throws {
        let layer = try Linear(8, 4, seed: 1)
        let x = try Tensor.normal([3, 8], seed: 2)
        let y = withBFloat16Autocast { layer.forward(x, .evaluation) }
        let by = x.converted(to: .bfloat16).linear(
            layer.weight.converted(to: .bfloat16), layer.bias?.converted(to: .bfloat16))
        #expect(y.dtype == .bfloat16 && layer.weight.dtype == .float32)
        #expect(
            try y.detached().converted(to: .float32).array(of: Float.self)
                == by.detached().converted(to: .float32).array(of: Float.self))
        #expect(layer.forward(x, .evaluation).dtype == .float32, "autocast has not ended")
    }

    @Test func bfloat16TrainsAlmostTheSame() throws {
        let (exact, rounded) = (Recorder(), Recorder())
        let full = try Self.train(try Self.plan(), exact)
        let plan = try Self.plan { $0.precision = .bfloat16 }
        let half = try Self.train(plan, rounded)
        #expect(plan.model.parameters.allSatisfy { $0.tensor.dtype == .float32 })
        #expect(exact.losses != rounded.losses, "bfloat16 has changed nothing")
        for (a, b) in zip(exact.losses, rounded.losses) { #expect(abs(a - b) < 0.05 * abs(a) + 0.02) }
        #expect(try abs(#require(full.test.accuracy) - #require(half.test.accuracy)) < 0.05)
    }

    // MARK: Settings

    @Test func settingsAreRead() throws {
        let settings = try JSONDecoder().decode(
            TrainingSettings.self,
            from: Data(
                #"{"epochs": 1, "average": {"swa": {"from": 4}}, "precision": "bfloat16", "device": "cpu"}"#
                    .utf8))
        #expect(settings.average == .swa(from: 4, every: 1))
        #expect(settings.precision == .bfloat16)
        let again = try JSONDecoder().decode(TrainingSettings.self, from: JSONEncoder().encode(settings))
        #expect(again.average == settings.average && again.precision == .bfloat16 && again.device == .cpu)
    }

    @Test(arguments: [
        (#""device": "cuda:x""#, "is 'cuda:x'; allowed: cpu, cuda, cuda:0"),
        (#""device": """#, "is ''; allowed: cpu, cuda, cuda:0"),
        (#""average": {"ema": 1}"#, "is 1.0; allowed: more than 0, less than 1"),
        (#""average": {"swa": {"from": -1}}"#, "is -1; allowed: 0 or more"),
        (#""average": {"swa": {"from": 1, "every": 0}}"#, "is 0; allowed: 1 or more"),
        (#""average": {"ema": 0.9, "swa": {"from": 1}}"#, "give one of 'ema' and 'swa'"),
        (#""average": {}"#, "give one of 'ema' and 'swa'"),
        (#""precision": "float16""#, "float16"),
    ])
    func badSettingsAreRefused(setting: String, words: String) {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TrainingSettings.self, from: Data("{\"epochs\": 1, \(setting)}".utf8))
        }
        #expect("\(String(describing: error))".contains(words), "\(String(describing: error))")
    }
}
