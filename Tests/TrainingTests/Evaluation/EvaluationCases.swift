import Datasets
import Models
import PerturbedEquations
import TestSupport
import Torch
import TorchNN
import Training

/// Small plans to measure.
enum EvaluationCases {
    static func plan(
        _ model: any Module, _ data: Dataset, loss: LossChoice? = nil,
        _ change: (inout TrainingSettings) -> Void = { _ in }
    ) -> TrainingPlan {
        var settings = TrainingSettings(steps: 1)
        settings.threads = 1
        settings.loss = loss
        change(&settings)
        return TrainingPlan(
            name: "test", modelName: "test", model: model, data: data,
            equation: PerturbedEquation(rule: SGD(learningRate: 0.1)), settings: settings)
    }

    /// Numbers of one shape, each in one of some classes; one part is all of them.
    static func data(_ split: DataSplit, _ shape: [Int], classes: Int) -> Dataset {
        Dataset(
            name: "test", inputShape: shape, classNames: (0..<classes).map(String.init), train: split,
            test: split)
    }

    static func features(
        _ count: Int, size: Int, classes: Int, _ random: inout SeededGenerator
    ) throws -> DataSplit {
        let features = (0..<count * size).map { _ in Float.random(in: -1...1, using: &random) }
        let labels = (0..<count).map { _ in Int64.random(in: 0..<Int64(classes), using: &random) }
        return try DataSplit(features: features, labels: labels, exampleSize: size, named: "features")
    }

    /// Sequences of which some tokens are not asked for.
    static func sequences(
        _ count: Int, length: Int, vocabulary: Int, _ random: inout SeededGenerator
    ) throws -> Dataset {
        let tokens = (0..<count * length).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
        let targets = tokens.enumerated().map { place, token in
            place % 5 == 2 ? TargetKind.ignored : Int64((token + 1) % Int32(vocabulary))
        }
        let split = try DataSplit(tokens: tokens, length: length, targets: targets, named: "sequences")
        return Dataset(
            name: "sequences",
            kind: ExampleKind(
                .tokens(vocabulary: vocabulary, length: length), .classPerToken(of: vocabulary)),
            classNames: (0..<vocabulary).map(String.init), train: split, test: split)
    }

    /// Sequences, each in one of two classes.
    static func classes(
        _ count: Int, length: Int, vocabulary: Int, _ random: inout SeededGenerator
    ) throws -> Dataset {
        let tokens = (0..<count * length).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
        let split = try DataSplit(
            tokens: tokens, length: length, targets: (0..<count).map { Int64($0 % 2) }, named: "classes")
        return Dataset(
            name: "classes",
            kind: ExampleKind(.tokens(vocabulary: vocabulary, length: length), .oneClass(of: 2)),
            classNames: ["0", "1"], train: split, test: split)
    }

    /// θ, one after the other.
    static func weights(_ parameters: [NamedTensor]) throws -> [Float] {
        try parameters.flatMap { try $0.tensor.detached().array(of: Float.self) }
    }

    static func key(_ seed: UInt64) -> NoiseKey { NoiseKey(seed: seed) }
}
