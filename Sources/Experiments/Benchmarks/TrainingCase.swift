import Datasets
import Foundation
import Models
import PerturbedEquations
import Torch
import Training

/// `peo bench training`: steps per second of small models, data loading and all.
///
/// `Benchmarks/training.py` runs the same models in PyTorch's eager mode in turn with this.
public enum TrainingCase: String, Sendable, CaseIterable {
    /// A 64-64-10 MLP, batch 32, one thread.
    case mlp
    /// The digits CNN of `Examples/digits-cnn.yaml`: 8×8, batch 64, two threads.
    case digitsCNN = "digits-cnn"
    /// The Fashion-MNIST CNN of `Examples/fashion-cnn.yaml`: 28×28, batch 128, two threads.
    case fashionCNN = "fashion-cnn"

    /// What was measured.
    public struct Report: Sendable, Codable {
        public let name: String
        public let perturbed: Bool
        public let threads: Int
        /// The median over rounds.
        public let stepsPerSecond: Double
        /// The most memory that the process has held so far, in bytes; nil where the system does not say.
        public let peakBytes: Int?
    }

    private var input: [Int] {
        switch self {
        case .mlp: [64]
        case .digitsCNN: [1, 8, 8]
        case .fashionCNN: [1, 28, 28]
        }
    }

    private var batchSize: Int {
        switch self {
        case .mlp: 32
        case .digitsCNN: 64
        case .fashionCNN: 128
        }
    }

    private var threads: Int { self == .mlp ? 1 : 2 }

    private var architecture: any ModelArchitecture {
        self == .mlp ? MLP(hidden: [64]) : CNN(channels: [32, 64], hidden: 128)
    }

    /// Times the case on random data, with Adam.
    ///
    /// - Parameters:
    ///   - perturbed: whether Gaussian noise is added.
    ///   - seconds: about how long each of the five rounds takes.
    public func run(perturbed: Bool, seconds: Double = 0.5) throws -> Report {
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = threads
        let size = input.reduce(1, *)
        let count = batchSize * 16
        var features = [Float](repeating: 0, count: count * size)
        var span = features.mutableSpan
        NoiseStream(key: NoiseKey(seed: 1), step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
        let split = try DataSplit(
            features: features, labels: (0..<count).map { Int64($0 % 10) }, exampleSize: size,
            named: rawValue)
        let data = Dataset(
            name: rawValue, inputShape: input, classNames: (0..<10).map(String.init), train: split,
            test: split)
        var settings = TrainingSettings(steps: 1_000_000)
        settings.batchSize = batchSize
        let benchmark = try TrainingBenchmark(
            TrainingPlan(
                name: rawValue, modelName: type(of: architecture).entry.name,
                model: try architecture.build(input: input, classes: 10, seed: 1), data: data,
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 1e-3), perturbation: perturbed ? [Gaussian(sigma: 1e-3)] : []),
                settings: settings))
        let trial = try benchmark.run(steps: 20) / 20
        let steps = max(5, Int(seconds / trial))
        let rates = try (0..<5).map { _ in Double(steps) / (try benchmark.run(steps: steps)) }
        return Report(
            name: rawValue, perturbed: perturbed, threads: threads,
            stepsPerSecond: PairedTiming.median(rates),
            peakBytes: ProcessMemory.peak)
    }
}
