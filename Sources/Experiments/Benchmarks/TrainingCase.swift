import Datasets
import Foundation
import Models
import PerturbedEquations
import Torch
import Training

/// One row of `peo bench training`: a network, what it reads, and how many examples at a time.
///
/// `Benchmarks/training.py` runs the same networks in PyTorch's eager mode in turn with these.
public struct TrainingCase: Sendable {
    public let name: String
    let architecture: any ModelArchitecture
    let kind: ExampleKind
    let batchSize: Int
    let threads: Int
    /// How many batches the data hold.
    let batches: Int

    private init(
        _ name: String, _ architecture: any ModelArchitecture, _ kind: ExampleKind, batch: Int,
        threads: Int = 2, batches: Int = 16
    ) {
        self.name = name
        self.architecture = architecture
        self.kind = kind
        batchSize = batch
        self.threads = threads
        self.batches = batches
    }

    private static func images(_ channels: Int, _ size: Int) -> ExampleKind {
        .numbers([channels, size, size], classes: 10)
    }

    /// 64 characters of 65, each asked for the next.
    private static let text = ExampleKind(.tokens(vocabulary: 65, length: 64), .classPerToken(of: 65))

    /// To add a case: a line here, and the network in `Benchmarks/training.py`.
    public static let all: [TrainingCase] = [
        TrainingCase("mlp", MLP(hidden: [64]), .numbers([64], classes: 10), batch: 32, threads: 1),
        TrainingCase("digits-cnn", CNN(channels: [32, 64], hidden: 128), images(1, 8), batch: 64),
        TrainingCase("fashion-cnn", CNN(channels: [32, 64], hidden: 128), images(1, 28), batch: 128),
        TrainingCase("resnet20", ResNet(layers: 20), images(3, 32), batch: 128, batches: 4),
        TrainingCase("gpt", GPT(layers: 4, heads: 4, width: 128), text, batch: 12),
        TrainingCase("lstm", LSTM(RecurrentSettings(width: 256, hidden: 256, layers: 2)), text, batch: 32),
        TrainingCase(
            "vit-tiny", ViT(patch: 4, width: 192, layers: 12, heads: 3, hidden: 768), images(3, 32),
            batch: 32, batches: 4),
    ]

    /// 256 characters of 65, each asked for the next.
    private static let longText = ExampleKind(.tokens(vocabulary: 65, length: 256), .classPerToken(of: 65))

    /// Networks for a GPU, which run only where they are asked for by name: 4.3, 11 and 85 million parameters.
    public static let large: [TrainingCase] = [
        TrainingCase("resnet20-wide", ResNet(layers: 20, width: 64), images(3, 32), batch: 256, batches: 4),
        TrainingCase(
            "gpt-11m", GPT(layers: 6, heads: 6, width: 384), longText, batch: 64, batches: 4),
        TrainingCase("gpt-85m", GPT(layers: 12, heads: 12, width: 768), longText, batch: 32, batches: 4),
    ]

    /// The case of that name.
    public static func named(_ name: String) -> TrainingCase? { (all + large).first { $0.name == name } }

    /// What was measured.
    public struct Report: Sendable, Codable {
        public let name: String
        public let perturbed: Bool
        public let threads: Int
        /// The median over rounds.
        public let stepsPerSecond: Double
        /// The most memory that the process has held so far, in bytes; nil where the system does not say.
        public let peakBytes: Int?
        /// Of a network on a GPU: milliseconds of the update, with the copying of gradients and parameters, and of that alone.
        public let updateMilliseconds: Double?
        public let copyMilliseconds: Double?
    }

    /// Times the case on random data, with Adam.
    ///
    /// - Parameters:
    ///   - perturbed: whether Gaussian noise is added.
    ///   - seconds: about how long each of the five rounds takes.
    ///   - device: where the network computes. On a GPU the update has all of the CPU's threads.
    /// - Throws: `ConfigurationError` for a device that is not there.
    public func run(
        perturbed: Bool, seconds: Double = 0.5, device: Device = .cpu, precision: Precision = .float32
    ) throws -> Report {
        try withThreads(device == .cpu ? threads : Threads.count) {
            let benchmark = try benchmark(perturbed: perturbed) {
                $0.device = device
                $0.precision = precision
            }
            let steps = try Self.steps(of: benchmark, in: seconds)
            let rates = try (0..<5).map { _ in Double(steps) / (try benchmark.run(steps: steps)) }
            func milliseconds(_ time: (Int) throws -> Double) rethrows -> Double? {
                guard device != .cpu else { return nil }
                _ = try time(2)
                return try PairedTiming.median((0..<5).map { _ in try time(10) * 100 })
            }
            return Report(
                name: name, perturbed: perturbed, threads: Threads.count,
                stepsPerSecond: PairedTiming.median(rates), peakBytes: ProcessMemory.peak,
                updateMilliseconds: try milliseconds(benchmark.runUpdates),
                copyMilliseconds: try milliseconds(benchmark.runCopies))
        }
    }

    /// What loading the batches costs.
    public struct LoadingReport: Sendable, Codable {
        public let name: String
        /// Whether images are cropped and mirrored.
        public let augmented: Bool
        public let threads: Int
        /// The medians over rounds, with batches that are loaded and with one that is held in its tensors.
        public let stepsPerSecond: Double
        public let heldStepsPerSecond: Double
        /// The median over rounds of the first by the second.
        public let ratio: Double
    }

    /// Whether the case's examples are images, which can be augmented.
    public var isOfImages: Bool { kind.inputShape.count == 3 }

    /// Times the case with batches that are loaded, in turn with one batch that is held in its tensors.
    ///
    /// - Parameters:
    ///   - augmented: whether images are cropped and mirrored.
    ///   - seconds: about how long each half of the nine rounds takes.
    public func runLoading(augmented: Bool, seconds: Double = 0.5) throws -> LoadingReport {
        try withThreads(threads) {
            let benchmark = try benchmark(perturbed: false) {
                $0.augment = augmented ? Augmentation(crop: 4, flip: true) : nil
            }
            let steps = try Self.steps(of: benchmark, in: seconds)
            var loaded: [Double] = []
            var held: [Double] = []
            for _ in 0..<9 {
                loaded.append(Double(steps) / (try benchmark.run(steps: steps)))
                held.append(Double(steps) / (try benchmark.runHeld(steps: steps)))
            }
            return LoadingReport(
                name: name, augmented: augmented, threads: threads,
                stepsPerSecond: PairedTiming.median(loaded), heldStepsPerSecond: PairedTiming.median(held),
                ratio: PairedTiming.median(zip(loaded, held).map { $0 / $1 }))
        }
    }

    private func withThreads<Result>(_ threads: Int, _ body: () throws -> Result) rethrows -> Result {
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = threads
        return try body()
    }

    private func benchmark(
        perturbed: Bool, _ change: (inout TrainingSettings) -> Void
    ) throws -> TrainingBenchmark {
        let part = try examples()
        let data = Dataset(
            name: name, kind: kind, classNames: (0..<kind.target.classes).map(String.init), train: part,
            test: part)
        var settings = TrainingSettings(steps: 1_000_000)
        settings.batchSize = batchSize
        change(&settings)
        return try TrainingBenchmark(
            TrainingPlan(
                name: name, modelName: type(of: architecture).entry.name,
                model: try architecture.build(for: kind, seed: 1), data: data,
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 1e-3), perturbation: perturbed ? [Gaussian(sigma: 1e-3)] : []),
                settings: settings))
    }

    /// How many steps take about so many seconds, at least one.
    private static func steps(of benchmark: TrainingBenchmark, in seconds: Double) throws -> Int {
        _ = try benchmark.run(steps: 2)
        let trial = try benchmark.run(steps: 3) / 3
        return max(1, Int(seconds / trial))
    }

    private func examples() throws -> DataSplit {
        let count = batchSize * batches
        let size = kind.inputShape.reduce(1, *)
        let key = NoiseKey(seed: 1)
        switch kind.input {
        case .numbers where isOfImages:
            let pixels = Data((0..<count * size).map { UInt8(truncatingIfNeeded: key.word(UInt64($0))) })
            return DataSplit(
                pixels: pixels, scale: PixelScale(maximum: 255, mean: 0.5, deviation: 0.3),
                labels: (0..<count).map { Int64($0 % 10) }, exampleSize: size)
        case .numbers:
            var numbers = [Float](repeating: 0, count: count * size)
            var span = numbers.mutableSpan
            NoiseStream(key: key, step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
            return try DataSplit(
                features: numbers, labels: (0..<count).map { Int64($0 % 10) }, exampleSize: size, named: name)
        case .tokens(let vocabulary, let length):
            let tokens = (0..<count * size).map {
                Int32(key.uniformIndex(below: UInt64(vocabulary), UInt64($0)))
            }
            return try DataSplit(
                tokens: tokens, length: length, targets: tokens.map(Int64.init), named: name)
        }
    }
}
