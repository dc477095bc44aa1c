import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import TorchNN
import Training

/// Noise on inputs, labels and targets: closed forms, addresses, and whole runs.
@Suite struct DataNoiseTests {
    static let key = NoiseKey(seed: 11)

    static func noise(
        _ noise: InputNoise, step: Int, example: Int, count: Int = 64
    ) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        var span = values.mutableSpan
        noise.add(to: &span, key: key, step: step, example: example)
        return values
    }

    @Test(arguments: NoiseDistribution.allCases)
    func inputNoiseHasItsVariance(_ distribution: NoiseDistribution) {
        let noise = InputNoise(sigma: 0.3, distribution: distribution)
        let values = (0..<2000).flatMap { Self.noise(noise, step: 3, example: $0).map(Double.init) }
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        let square = values.reduce(0) { $0 + $1 * $1 } / n
        #expect(abs(mean) < 5 * 0.3 / n.squareRoot())
        // The largest kurtosis of these distributions is the Laplace one, 6.
        #expect(abs(square - 0.09) < 5 * 0.09 * (5 / n).squareRoot() + 1e-8)
    }

    /// A pure function of (seed, step, example, element), and nothing else.
    @Test func inputNoiseIsAddressed() {
        let noise = InputNoise(sigma: 0.3)
        let own = Self.noise(noise, step: 3, example: 7)
        #expect(Self.noise(noise, step: 3, example: 7) == own)
        #expect(Array(Self.noise(noise, step: 3, example: 7, count: 1000).prefix(64)) == own)
        #expect(Self.noise(noise, step: 4, example: 7) != own)
        #expect(Self.noise(noise, step: 3, example: 8) != own)
        #expect(Self.noise(InputNoise(sigma: 0), step: 3, example: 7).allSatisfy { $0 == 0 })
        let fading = InputNoise(sigma: Scheduled(LinearSchedule(from: 0.3, to: 0, steps: 10)))
        #expect(Self.noise(fading, step: 10, example: 7).allSatisfy { $0 == 0 })
    }

    static func labels(_ noise: LabelNoise, step: Int, examples: ArraySlice<Int>, classes: Int = 10)
        -> [Int64]
    {
        // The true class is −1, so that a label drawn anew is seen even where it would be right.
        var labels = [Int64](repeating: -1, count: examples.count)
        labels.withUnsafeMutableBufferPointer {
            noise.apply(to: $0, classes: classes, key: key, step: step, examples: examples)
        }
        return labels
    }

    /// A share ρ is drawn anew, evenly over the classes, and never more at ρ = 1 nor any at 0.
    @Test(arguments: LabelNoise.Redraw.allCases)
    func labelNoiseRates(_ redraw: LabelNoise.Redraw) {
        let count = 100_000
        for rate in [0.05, 0.4, 1] {
            let labels = Self.labels(
                LabelNoise(rate: Scheduled(rate), redraw: redraw), step: 2, examples: ArraySlice(0..<count))
            let drawn = labels.count { $0 >= 0 }
            let error = (rate * (1 - rate) * Double(count)).squareRoot()
            #expect(abs(Double(drawn) - rate * Double(count)) <= 5 * error)
            for label in 0..<10 as Range<Int64> {
                let found = Double(labels.count { $0 == label })
                let expected = rate * Double(count) / 10
                #expect(abs(found - expected) < 5 * expected.squareRoot(), "class \(label)")
            }
            #expect(labels.allSatisfy { (-1..<10).contains($0) })
        }
        let none = Self.labels(LabelNoise(rate: 0, redraw: redraw), step: 2, examples: [1, 2, 3])
        #expect(none == [-1, -1, -1])
        #expect(Self.labels(LabelNoise(rate: 1), step: 0, examples: [5], classes: 1) == [0])
    }

    @Test func labelNoiseIsAddressed() {
        let examples = ArraySlice(0..<1000)
        let (every, once) = (LabelNoise(rate: 0.5), LabelNoise(rate: 0.5, redraw: .once))
        #expect(
            Self.labels(every, step: 1, examples: examples) != Self.labels(every, step: 2, examples: examples)
        )
        let fixed = Self.labels(once, step: 1, examples: examples)
        #expect(Self.labels(once, step: 2, examples: examples) == fixed)
        // The same example has the same label wherever it stands in a batch.
        #expect(Self.labels(once, step: 9, examples: ArraySlice(examples.reversed())) == fixed.reversed())
        let part = Self.labels(every, step: 1, examples: [500, 3])
        let whole = Self.labels(every, step: 1, examples: examples)
        #expect(part == [whole[500], whole[3]])
        // Steps are independent: half of a half is drawn at both.
        let both = zip(whole, Self.labels(every, step: 2, examples: examples)).count { $0 >= 0 && $1 >= 0 }
        #expect(abs(both - 250) < 70)
        // A rising rate keeps the wrong labels it had.
        let more = Self.labels(LabelNoise(rate: 0.7, redraw: .once), step: 1, examples: examples)
        for (before, after) in zip(fixed, more) where before >= 0 { #expect(after == before) }
    }

    @Test func targetNoiseIsPlusOrMinus() {
        let noise = TargetNoise(sigma: 0.25)
        var sum: Float = 0
        for step in 0..<4000 {
            var target: [Float] = [1]
            var span = target.mutableSpan
            noise.add(to: &span, key: Self.key, step: step, example: 3)
            #expect(target == [1.25] || target == [0.75])
            sum += target[0] - 1
        }
        #expect(abs(sum / 4000) < 5 * 0.25 / Float(4000).squareRoot())
    }

    // MARK: Runs

    static func settings(_ steps: Int) -> TrainingSettings {
        var settings = TrainingSettings(steps: steps)
        settings.batchSize = 48
        settings.threads = 1
        settings.checkpointEvery = .steps(7)
        settings.inputNoise = InputNoise(sigma: Scheduled(LinearSchedule(from: 0.3, to: 0)))
        settings.labelNoise = LabelNoise(rate: 0.2)
        return settings
    }

    static let equation = PerturbedEquation(
        rule: Momentum(learningRate: 0.05), perturbation: Gaussian(sigma: 0.01))
    static let network = MLP(hidden: [8], noisySigma: 0.3, conditioned: true)

    static func plan(
        _ settings: TrainingSettings, _ network: MLP = network, _ equation: PerturbedEquation = equation
    ) throws -> TrainingPlan {
        let data = try DatasetCatalogue.load("digits")
        return TrainingPlan(
            name: "test", modelName: "mlp",
            model: try network.build(input: data.inputShape, classes: 10, seed: 1), data: data,
            equation: equation,
            settings: settings)
    }

    static func weights(_ plan: TrainingPlan) throws -> [Float] {
        try plan.model.parameters.flatMap { try $0.tensor.detached().array(of: Float.self) }
    }

    static func train(
        _ settings: TrainingSettings, _ network: MLP = network, in directory: TemporaryDirectory? = nil
    ) throws -> [Float] {
        let directory = try directory ?? TemporaryDirectory()
        let plan = try plan(settings, network)
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test")
        _ = try trainer.train()
        return try weights(plan)
    }

    /// A run resumed from an earlier checkpoint ends with the same bits, through input, label, weight and gradient
    /// noise and a layer that is told σ(t).
    @Test func aResumedRunDrawsTheSame() throws {
        let directory = try TemporaryDirectory()
        let whole = try Self.train(Self.settings(20), in: directory)
        let plan = try Self.plan(Self.settings(20))
        let run = try RunDirectory.open(directory.file("run"))
        let steps = try run.checkpoints.steps().sorted()
        #expect(steps.contains(14), "\(steps)")
        // As if the run had been killed after step 14.
        for step in steps where step > 14 {
            try FileManager.default.removeItem(at: run.checkpoints.url(step: step))
        }
        let checkpoint = try run.checkpoints.latest().0
        #expect(checkpoint.manifest.step == 14)
        let trainer = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(isQuiet: true),
            version: "test", resuming: checkpoint)
        _ = try trainer.train()
        #expect(try Self.weights(plan) == whole)
    }

    /// Each kind of noise changes the run, and its absence leaves the run as it was.
    @Test func eachKindTakesPart() throws {
        let plain = MLP(hidden: [8])
        var settings = Self.settings(6)
        settings.inputNoise = nil
        settings.labelNoise = nil
        let base = try Self.train(settings, plain)
        #expect(try Self.train(settings, plain) == base)
        var inputs = settings
        inputs.inputNoise = InputNoise(sigma: 0.1)
        #expect(try Self.train(inputs, plain) != base)
        var labels = settings
        labels.labelNoise = LabelNoise(rate: 0.3)
        #expect(try Self.train(labels, plain) != base)
        labels.labelNoise = LabelNoise(rate: 0.3, redraw: .once)
        #expect(try Self.train(labels, plain) != base)
        inputs.inputNoise = InputNoise(sigma: 0)
        inputs.labelNoise = LabelNoise(rate: 0)
        #expect(try Self.train(inputs, plain) == base)
    }

    /// Micro-batches see the noise that the whole batch would: it belongs to the example.
    @Test func accumulationSeesTheSameNoise() throws {
        var settings = Self.settings(4)
        let plain = MLP(hidden: [8])
        let whole = try Self.train(settings, plain)
        settings.accumulate = 3
        let parts = try Self.train(settings, plain)
        let difference = zip(whole, parts).map { abs($0 - $1) }.max() ?? 1
        #expect(difference < 1e-5, "accumulating moved a parameter by \(difference)")
    }

    /// A layer that is to be told σ(t) needs one.
    @Test func conditioningNeedsASigma() throws {
        let relative = PerturbedEquation(
            rule: SGD(learningRate: 0.1), perturbation: Gaussian(sigma: .relative(0.1)))
        let settings = TrainingSettings(steps: 1)
        let error = #expect(throws: ConfigurationError.self) {
            try Self.plan(settings, Self.network, relative).makeOptimizer()
        }
        #expect(error?.path == "model.mlp.conditioned")
        #expect(try Self.plan(settings).makeOptimizer().core.sigma == 0.01)
        var noisy = settings
        noisy.inputNoise = InputNoise(sigma: 0.1)
        _ = try Self.plan(noisy, Self.network, relative).makeOptimizer()
    }

    @Test func badSettingsAreRefused() throws {
        func decode<T: Decodable>(_: T.Type, _ text: String) throws -> T {
            try JSONDecoder().decode(T.self, from: Data(text.utf8))
        }
        for text in [#"{"sigma": -1}"#, #"{}"#, #"{"sigma": 0.1, "distribution": "cauchy"}"#] {
            #expect(throws: (any Error).self, "\(text)") { try decode(InputNoise.self, text) }
        }
        for text in [#"{"rate": -0.1}"#, #"{"rate": 1.5}"#, #"{}"#, #"{"rate": 0.1, "redraw": "twice"}"#] {
            #expect(throws: (any Error).self, "\(text)") { try decode(LabelNoise.self, text) }
        }
        let rising = #"{"rate": {"linear": {"from": 0, "to": 2}}}"#
        var settings = TrainingSettings(steps: 10)
        settings.labelNoise = try decode(LabelNoise.self, rising)
        let error = #expect(throws: ConfigurationError.self) { try Self.plan(settings).makeOptimizer() }
        #expect(error?.path == "training.labelNoise.rate")
        let written = try JSONEncoder().encode(Self.settings(5))
        let read = try JSONDecoder().decode(TrainingSettings.self, from: written)
        #expect(read.inputNoise?.sigma.resolved(horizon: 10).value(at: 5) == 0.15)
        #expect(read.labelNoise?.rate.constant == 0.2 && read.labelNoise?.redraw == .everyStep)
    }
}
