import PerturbedEquations
import PosteriorSampling

/// How a posterior is sampled: the `sampling` block of a configuration.
///
/// ```yaml
/// sampling: {chains: 4, steps: 20000, burnIn: 5000, thin: 20, batchSize: 100, seed: 1}
/// ```
public struct SamplingSettings: Codable, Sendable, Equatable {
    /// Steps of each chain, burn-in, thinning and cycle.
    public var schedule: SamplingSchedule
    /// How many chains, 1 … 4096 (default 4).
    public var chains = 4
    /// n, the examples of a minibatch, ≥ 1 (default 64); no more than there are.
    public var batchSize = 64
    /// What every random number of the run derives from (default 1).
    public var seed: UInt64 = 1
    /// Chains that move at once (default: as many as there are cores). No bit depends on it.
    public var threads: Int?
    /// Test examples whose predictions chains are compared by, 0 … 1000 (default 10).
    public var probes = 10
    /// Steps between two lines of metrics (default: a fiftieth of the run).
    public var logEvery: Int
    /// Steps between two checkpoints (default: a tenth of the run).
    public var checkpointEvery: Int

    public init(schedule: SamplingSchedule) {
        self.schedule = schedule
        logEvery = max(1, schedule.steps / 50)
        checkpointEvery = max(1, schedule.steps / 10)
    }

    private enum CodingKeys: String, CodingKey {
        case chains, batchSize, seed, threads, probes, logEvery, checkpointEvery
    }

    public init(from decoder: any Decoder) throws {
        self.init(schedule: try SamplingSchedule(from: decoder))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        chains = try container.decode(.chains, default: chains)
        batchSize = try container.decode(.batchSize, default: batchSize)
        seed = try container.decode(.seed, default: seed)
        threads = try container.decodeIfPresent(Int.self, forKey: .threads)
        probes = try container.decode(.probes, default: probes)
        logEvery = try container.decode(.logEvery, default: logEvery)
        checkpointEvery = try container.decode(.checkpointEvery, default: checkpointEvery)
        let limit = 1 << 31
        for (key, value, range) in [
            (CodingKeys.chains, chains, 1...4096), (.batchSize, batchSize, 1...limit),
            (.threads, threads ?? 1, 1...1024), (.probes, probes, 0...1000), (.logEvery, logEvery, 1...limit),
            (.checkpointEvery, checkpointEvery, 1...limit),
        ] where !range.contains(value) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container,
                debugDescription: "is \(value); allowed: \(range.lowerBound) to \(range.upperBound)")
        }
        try schedule.validate()
    }

    public func encode(to encoder: any Encoder) throws {
        try schedule.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(chains, forKey: .chains)
        try container.encode(batchSize, forKey: .batchSize)
        try container.encode(seed, forKey: .seed)
        try container.encodeIfPresent(threads, forKey: .threads)
        try container.encode(probes, forKey: .probes)
        try container.encode(logEvery, forKey: .logEvery)
        try container.encode(checkpointEvery, forKey: .checkpointEvery)
    }
}
