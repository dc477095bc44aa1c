import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Torch
import Training

/// Draws per second on one core: `peo bench samplers`. Every step is a draw, and all go to a file.
public struct SamplerBenchmark: Sendable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let rule: String
        public let draws: Int
        /// Draws per second: the median of the rounds.
        public let drawsPerSecond: Double
        /// Of the last half of the last round's draws, of every coordinate: to compare with other samplers.
        public let means: [Double]
    }

    /// What is sampled; `Benchmarks/samplers.py` has the same.
    public static let names = ["logistic-a9a", "mlp-digits"]
    private static let rounds = 5

    /// Draws of each round.
    public var draws: Int

    public init(draws: Int) { self.draws = draws }

    public func run(_ name: String? = nil) throws -> [Row] {
        try Self.names.filter { name == nil || $0 == name }.map { try run(one: $0) }
    }

    private func run(one name: String) throws -> Row {
        Threads.count = 1
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "peo-bench-\(UInt64.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let clock = ContinuousClock()
        var rates: [Double] = []
        var last: Samples?
        let make = try Self.sampler(name, draws: draws)
        for round in 0..<Self.rounds {
            let directory = folder.appendingPathComponent("\(round)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let sampler = try make(directory)
            let start = clock.now
            while !sampler.isFinished { try sampler.advance(by: 1000) }
            rates.append(Double(draws) / ((clock.now - start) / .seconds(1)))
            last = try Samples(contentsOf: directory)
        }
        let samples = last!
        let means = try samples.parameters.flatMap { spec in
            try samples.elements(Array(0..<spec.count), of: spec.name).map { chains in
                let half = chains.draws[0][(draws / 2)...]
                return half.reduce(0, +) / Double(half.count)
            }
        }
        return Row(
            name: name, rule: "sgld", draws: draws, drawsPerSecond: PairedTiming.median(rates), means: means)
    }

    /// The training examples of a case: count and width as int64, features as float32, labels as int64.
    public static func examples(of name: String) throws -> Data {
        let split = try DatasetCatalogue.load(
            name == "logistic-a9a" ? "a9a" : "digits", from: DataLocations()
        ).train
        var features = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                split.copyBatch(Array(0..<split.count)[...], into: features, labels: labels)
            }
        }
        var data = Data()
        [Int64(split.count), Int64(split.exampleSize)].withUnsafeBytes { data.append(contentsOf: $0) }
        features.withUnsafeBytes { data.append(contentsOf: $0) }
        labels.withUnsafeBytes { data.append(contentsOf: $0) }
        return data
    }

    /// Makes a sampler of one chain, whose draws go to a directory.
    private static func sampler(_ name: String, draws: Int) throws -> (URL) throws -> ChainSampler {
        let schedule = SamplingSchedule(steps: draws, burnIn: 0)
        if name == "logistic-a9a" {
            let data = try DatasetCatalogue.load("a9a", from: DataLocations())
            let potential = try Potential<Float>.logisticRegression(
                data.train, batchSize: 256, prior: GaussianPrior())
            var sampler = PosteriorSampler(potential, rule: SGLD(learningRate: 1e-5), schedule: schedule)
            (sampler.chains, sampler.threads, sampler.functions) = (1, 1, [])
            sampler.start = .normal(deviation: 0)
            let fixed = sampler
            return { try fixed.chainSampler(to: $0) }
        }
        let data = try DatasetCatalogue.load("digits", from: DataLocations())
        return { directory in
            var settings = SamplingSettings(schedule: schedule)
            (settings.chains, settings.batchSize, settings.probes) = (1, 32, 0)
            let plan = try SamplingPlan(
                name: name, modelName: "mlp", data: data, prior: NamedPrior(GaussianPrior(deviation: 0.3)),
                likelihood: nil, equation: PerturbedEquation(rule: SGLD(learningRate: 1e-6)),
                settings: settings
            ) { try MLP(hidden: [64]).build(for: data.kind, seed: $0) }
            return try plan.sampler(to: directory, threads: 1)
        }
    }
}
