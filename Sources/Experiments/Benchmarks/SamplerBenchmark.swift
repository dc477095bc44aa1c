import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Torch
import Training

/// Draws per second on one core: `peo bench samplers`. All of them go to files.
public struct SamplerBenchmark: Sendable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let rule: String
        public let draws: Int
        /// Draws per second: the median of the rounds.
        public let drawsPerSecond: Double
    }

    /// What is sampled; `Benchmarks/samplers.py` has the same. `logistic-a9a` by `Potential.logisticRegression`, and by a closure of
    /// Swift; `linear` is a posterior that is known.
    public static let names = ["logistic-a9a", "logistic-a9a-closure", "mlp-digits", "linear"]
    private static let rounds = 5

    /// Draws of each round.
    public var draws: Int

    /// Steps from one draw to the next, ≥ 1.
    public var thin: Int

    /// Where the draws of the last round stay; removed where nil.
    public var keeping: URL?

    public init(draws: Int, thin: Int = 1) {
        self.draws = draws
        self.thin = thin
    }

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
        let make = try Self.sampler(
            name, SamplingSchedule(steps: draws * thin, burnIn: 0, thin: thin))
        for round in 0..<Self.rounds {
            let directory =
                round == Self.rounds - 1
                ? keeping ?? folder.appendingPathComponent("\(round)")
                : folder.appendingPathComponent("\(round)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let sampler = try make(directory)
            let start = clock.now
            while !sampler.isFinished { try sampler.advance(by: 1000) }
            rates.append(Double(draws) / ((clock.now - start) / .seconds(1)))
        }
        return Row(name: name, rule: "sgld", draws: draws, drawsPerSecond: PairedTiming.median(rates))
    }

    /// The training examples of a case: count and width as int64, features as float32, labels as int64, or numbers as float32.
    public static func examples(of name: String) throws -> Data {
        var data = Data()
        func append<Element>(_ values: [Element]) { values.withUnsafeBytes { data.append(contentsOf: $0) } }
        if name == "linear" {
            let problem = LinearProblem()
            append([Int64(LinearProblem.points), Int64(LinearProblem.width)])
            append(problem.features)
            append(problem.targets)
            return data
        }
        let split = try DatasetCatalogue.load(name == "mlp-digits" ? "digits" : "a9a", from: DataLocations())
            .train
        var features = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                split.copyBatch(Array(0..<split.count)[...], into: features, labels: labels)
            }
        }
        append([Int64(split.count), Int64(split.exampleSize)])
        append(features)
        append(labels)
        return data
    }

    /// One chain from θ = 0.
    private static func sampler(
        of potential: Potential<Float>, rate: Double, _ schedule: SamplingSchedule
    ) -> PosteriorSampler<Float> {
        var sampler = PosteriorSampler(
            potential, rule: SGLD(learningRate: Scheduled(rate)), schedule: schedule)
        (sampler.chains, sampler.threads, sampler.functions) = (1, 1, [])
        sampler.start = .normal(deviation: 0)
        return sampler
    }

    /// Makes a sampler of one chain, whose draws go to a directory.
    private static func sampler(
        _ name: String, _ schedule: SamplingSchedule
    ) throws -> (URL) throws -> ChainSampler {
        if name == "linear" {
            let sampler = sampler(of: try LinearProblem().potential(), rate: LinearProblem.rate, schedule)
            return { try sampler.chainSampler(to: $0) }
        }
        if name != "mlp-digits" {
            let train = try DatasetCatalogue.load("a9a", from: DataLocations()).train
            let potential =
                name == "logistic-a9a"
                ? try Potential.logisticRegression(
                    DesignMatrix(train).compact(), labels: train.isOfClassOne, prior: GaussianPrior(),
                    batchSize: 256)
                : try Potential<Float>.logisticClosure(train, batchSize: 256, prior: GaussianPrior())
            let sampler = sampler(of: potential, rate: 1e-5, schedule)
            return { try sampler.chainSampler(to: $0) }
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
