import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Attacks, damage and wrong labels, against closed forms.
@Suite struct RobustnessTests {
    private static let key = NoiseKey(seed: 8)
    private static let attacks: [GradientAttack.Method] = [.fgsm, .pgd(steps: 20)]

    /// Scores (0, w·x + b).
    private static func linear(_ w: [Float], bias: Float, shape: [Int]) throws -> any Module {
        let model = try MLP(hidden: []).build(for: .numbers(shape, classes: 2), seed: 1)
        let zeros = [Float](repeating: 0, count: w.count)
        model.parameters[0].tensor.detached().copy(from: try Tensor(zeros + w, shape: [2, w.count]))
        model.parameters[1].tensor.detached().copy(from: try Tensor([0, bias]))
        return model
    }

    // MARK: Attacks

    /// Against a linear model both attacks lead to the corner that lowers the margin by ε‖w‖₁: accuracy and loss exactly.
    @Test(arguments: attacks) func aLinearModelLosesItsMargin(method: GradientAttack.Method) throws {
        var random = SeededGenerator()
        let (size, count) = (5, 60)
        let w = (0..<size).map { _ in
            Float.random(in: 0.5...2, using: &random) * (Bool.random(using: &random) ? 1 : -1)
        }
        let features = (0..<count * size).map { _ in Float.random(in: -1...1, using: &random) }
        func score(_ row: Int) -> Double {
            (0..<size).reduce(0.1) { $0 + Double(w[$1]) * Double(features[row * size + $1]) }
        }
        // All are rightly classified at first.
        let labels = (0..<count).map { Int64(score($0) > 0 ? 1 : 0) }
        let split = try DataSplit(features: features, labels: labels, exampleSize: size, named: "linear")
        let kind = ExampleKind.numbers([size], classes: 2)
        let model = try Self.linear(w, bias: 0.1, shape: [size])
        for epsilon in [0, 0.03, 0.2] {
            let loss = epsilon * Double(w.reduce(0) { $0 + abs($1) })
            let margins = (0..<count).map { abs(score($0)) - loss }
            let found = try GradientAttack(method, epsilon: epsilon).measure(
                model, on: split, of: kind, key: Self.key)
            #expect(found.accuracy == Double(margins.count { $0 > 0 }) / Double(count), "\(random.seed)")
            let expected = margins.reduce(0) { $0 + log1p(exp(-$1)) } / Double(count)
            #expect(abs(found.loss - expected) < 1e-5, "\(random.seed): \(found.loss), \(expected)")
            #expect(found.count == count)
        }
    }

    /// ε is a share of the pixels' range whatever the data set's scale, and pixels do not leave it.
    @Test(arguments: attacks) func pixelsStayInRange(method: GradientAttack.Method) throws {
        let kind = ExampleKind.numbers([1, 2, 2], classes: 2)
        let scale = PixelScale(maximum: 16, mean: 0.3, deviation: 0.25)
        // In units of the model's numbers, w = 1 moves the score by 1/0.25 for a whole range.
        let model = try Self.linear([1, 1, 1, 1], bias: 0, shape: [1, 2, 2])
        func loss(_ byte: UInt8, label: Int64, epsilon: Double) throws -> Double {
            let split = DataSplit(
                pixels: Data(repeating: byte, count: 4), scale: scale, labels: [label], exampleSize: 4)
            return try GradientAttack(method, epsilon: epsilon).measure(
                model, on: split, of: kind, key: Self.key
            ).loss
        }
        func expected(_ pixel: Double, label: Int64) -> Double {
            let score = 4 * (pixel - 0.3) / 0.25
            return log1p(exp(label == 1 ? -score : score))
        }
        #expect(abs(try loss(8, label: 1, epsilon: 0.1) - expected(0.4, label: 1)) < 1e-5)
        #expect(abs(try loss(8, label: 0, epsilon: 0.1) - expected(0.6, label: 0)) < 1e-5)
        // The brightest cannot be made brighter, nor the darkest darker; and 0.125 by 0.3 ends at 0.
        #expect(abs(try loss(16, label: 0, epsilon: 0.1) - expected(1, label: 0)) < 1e-5)
        #expect(abs(try loss(0, label: 1, epsilon: 0.1) - expected(0, label: 1)) < 1e-5)
        #expect(abs(try loss(2, label: 1, epsilon: 0.3) - expected(0, label: 1)) < 1e-5)
    }

    /// What an example meets depends on neither batches nor the others that are attacked, and is the same again.
    @Test func attacksAreAddressed() throws {
        var random = SeededGenerator()
        let split = try EvaluationCases.features(23, size: 4, classes: 3, &random)
        let kind = ExampleKind.numbers([4], classes: 3)
        let model = try MLP(hidden: [6], activation: .tanh).build(for: kind, seed: 2)
        let before = try EvaluationCases.weights(model.parameters)
        let attack = GradientAttack(.pgd(steps: 3), epsilon: 0.2)
        func measured(_ positions: [Int]? = nil, batch: Int = 128, seed: UInt64 = 8) throws -> Evaluation {
            try attack.measure(
                model, on: split, of: kind, positions: positions, batch: batch, key: NoiseKey(seed: seed))
        }
        let all = try measured()
        #expect(try measured() == all && measured(seed: 9).loss != all.loss)
        #expect(abs(try measured(batch: 5).loss - all.loss) < 1e-5)
        let parts = try [Array(0..<9), Array(9..<23)].map { try measured($0) }
        let mean = parts.reduce(0) { $0 + $1.loss * Double($1.count) } / 23
        #expect(abs(mean - all.loss) < 1e-5 && parts.map(\.count) == [9, 14], "\(random.seed)")
        #expect(try EvaluationCases.weights(model.parameters) == before)
        #expect(model.parameters.allSatisfy { $0.tensor.gradient == nil })
    }

    // MARK: Damage

    /// A network that reads digits errs more the worse they are damaged, and reads them as before afterwards.
    @Test func damageGrowsWithSeverity() throws {
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [32]).build(for: data.kind, seed: 1)
        try Self.train(EvaluationCases.plan(model, data) { $0.steps = 300 })
        let clean = try Evaluation.measure(model, on: data.test, of: data.kind)
        #expect(InputDamage.fitting(data.test, of: data.kind) == InputDamage.allCases)
        for damage in InputDamage.allCases {
            let losses = try (1...5).map {
                try damage.measure(severity: $0, model, on: data.test, of: data.kind, key: Self.key).loss
            }
            for (milder, worse) in zip([clean.loss] + losses, losses) {
                #expect(worse > milder - 0.005, "\(damage): \(clean.loss), \(losses)")
            }
            #expect(losses[4] > clean.loss, "\(damage): \(clean.loss), \(losses)")
            let again = try damage.measure(severity: 5, model, on: data.test, of: data.kind, key: Self.key)
            #expect(again.loss == losses[4])
        }
        #expect(try Evaluation.measure(model, on: data.test, of: data.kind) == clean)
    }

    private static func train(_ plan: TrainingPlan) throws {
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        _ = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run,
            reporter: ProgressReporter(isQuiet: true), version: "test"
        ).train()
    }

    /// Noise on numbers that are no pixels has its deviation and no bounds: the mean score's moves as σ‖w‖/√n.
    @Test func noiseHasItsDeviation() throws {
        let (count, size) = (4000, 4)
        let split = try DataSplit(
            features: [Float](repeating: 0, count: count * size), labels: [Int64](repeating: 1, count: count),
            exampleSize: size, named: "zeros")
        let kind = ExampleKind.numbers([size], classes: 2)
        #expect(InputDamage.fitting(split, of: kind) == [.gaussian])
        #expect(InputUnits(split, of: kind).name == .inputs)
        let w: [Float] = [1, -2, 0.5, 1]
        let norm = Double(w.reduce(0) { $0 + $1 * $1 }).squareRoot()
        // Right where w·ξσ + b > 0: Φ(b/(σ‖w‖)), here for one and two deviations.
        for (deviations, share) in [(1.0, 0.841345), (2.0, 0.977250)] {
            let model = try Self.linear(w, bias: Float(deviations * 0.5 * norm), shape: [size])
            let found = try InputDamage.measure(sigma: 0.5, model, on: split, of: kind, key: Self.key)
            let error = (share * (1 - share) / Double(count)).squareRoot()
            #expect(abs(found.accuracy! - share) < 5 * error, "\(found)")
        }
        let model = try Self.linear(w, bias: 0.3, shape: [size])
        let clean = try Evaluation.measure(model, on: split, of: kind)
        #expect(
            try InputDamage.measure(sigma: 0, model, on: split, of: kind, key: Self.key).loss == clean.loss)
    }

    /// σ counts in pixels' range: black pixels under large noise are 0 or 1, half of each, unless they may leave it.
    @Test func noisyPixelsStayInRange() throws {
        let kind = ExampleKind.numbers([1, 1, 1], classes: 2)
        let count = 4000
        let split = DataSplit(
            pixels: Data(count: count), scale: PixelScale(maximum: 16, mean: 0.3, deviation: 0.25),
            labels: [Int64](repeating: 1, count: count), exampleSize: 1)
        #expect(InputUnits(split, of: kind).name == .pixels)
        // The score is the pixel − 0.5, in units of the range, so that a black one is wrong.
        let model = try Self.linear([0.25], bias: 0.3 - 0.5, shape: [1, 1, 1])
        func measured(_ sigma: Double, _ stays: Bool) throws -> Evaluation {
            try InputDamage.measure(
                sigma: sigma, staysInRange: stays, model, on: split, of: kind, key: Self.key)
        }
        let wide = try measured(1000, true)
        #expect(abs(wide.accuracy! - 0.5) < 5 * 0.5 / Double(count).squareRoot())
        let half = log1p(exp(-0.5)) / 2 + log1p(exp(0.5)) / 2
        #expect(try abs(wide.loss - half) < 0.05 && measured(1000, false).loss > 100)
        // P(σξ > 0.5) for σ = 0.5.
        #expect(abs(try measured(0.5, true).accuracy! - 0.158655) < 5 * 0.37 / Double(count).squareRoot())
    }

    // MARK: Wrong labels

    /// Against the labels drawn by hand.
    @Test func memorisationOfLabelsThatStayWrong() throws {
        var random = SeededGenerator()
        let split = try EvaluationCases.features(200, size: 4, classes: 3, &random)
        let data = EvaluationCases.data(split, [4], classes: 3)
        let model = try MLP(hidden: [6]).build(for: data.kind, seed: 2)
        func plan(_ noise: LabelNoise?) -> TrainingPlan {
            EvaluationCases.plan(model, data) {
                $0.labelNoise = noise
                $0.seed = 5
            }
        }
        #expect(try Memorisation.measure(plan(nil), step: 3) == nil)
        #expect(try Memorisation.measure(plan(LabelNoise(rate: 0.4)), step: 3) == nil)
        let noise = LabelNoise(rate: 0.4, redraw: .once)
        let found = try #require(try Memorisation.measure(plan(noise), step: 3))
        var labels = split.labels
        labels.withUnsafeMutableBufferPointer {
            noise.apply(to: $0, classes: 3, key: NoiseKey(seed: 5), step: 2, examples: ArraySlice(0..<200))
        }
        let truth = split.labels
        for (part, isWrong) in [(found.rightlyLabelled, false), (found.wronglyLabelled, true)] {
            let rows = truth.indices.filter { (truth[$0] != labels[$0]) == isWrong }
            func measured(_ labels: [Int64]) throws -> Evaluation {
                var features = [Float](repeating: 0, count: rows.count * 4)
                var own = [Int64](repeating: 0, count: rows.count)
                features.withUnsafeMutableBufferPointer { features in
                    own.withUnsafeMutableBufferPointer { own in
                        split.copyBatch(rows[...], into: features, labels: own)
                    }
                }
                let part = try DataSplit(
                    features: features, labels: rows.map { labels[$0] }, exampleSize: 4, named: "part")
                return try Evaluation.measure(model, on: part, of: data.kind)
            }
            let (byTruth, byTraining) = (try measured(truth), try measured(labels))
            #expect(part.count == rows.count && rows.count > 20, "\(random.seed)")
            #expect(part.trueAccuracy == byTruth.accuracy && part.trainedAccuracy == byTraining.accuracy)
            #expect(
                abs(part.trueLoss! - byTruth.loss) < 1e-5 && abs(part.trainedLoss! - byTraining.loss) < 1e-5)
        }
        // The loss's surface is that of the labels trained on.
        let loss = try LossSurface(plan(noise), positions: Array(0..<200), batch: 64, step: 3).loss()
        let right = found.rightlyLabelled.trainedLoss! * Double(found.rightlyLabelled.count)
        let wrong = found.wronglyLabelled.trainedLoss! * Double(found.wronglyLabelled.count)
        #expect(abs(loss - (right + wrong) / 200) < 1e-5)
        // No label is wrong at rate 0.
        let none = try #require(
            try Memorisation.measure(plan(LabelNoise(rate: 0, redraw: .once)), step: 3))
        #expect(
            none.wronglyLabelled.count == 0 && none.wronglyLabelled.trueAccuracy == nil
                && none.rightlyLabelled.count == 200)
    }
}
