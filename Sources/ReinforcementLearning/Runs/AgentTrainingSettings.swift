import PerturbedEquations

/// How long an agent learns and where: the `training` block of an agent's configuration.
///
/// ```yaml
/// training: {steps: 100000, copies: 4, seed: 1}
/// ```
public struct AgentTrainingSettings: Codable, Sendable, Equatable {
    /// Environment steps over all copies, ≥ 1. What an algorithm has begun (a rollout) it ends, so that a run may take
    /// somewhat more.
    public var steps: Int
    /// Copies of the environment, ≥ 1 (default 4).
    public var copies = 4
    /// What every random number of the run derives from (default 1).
    public var seed: UInt64 = 1
    /// Threads of the computation (default 1: networks this small gain nothing from more).
    public var threads = 1
    /// Environment steps between two lines of metrics, ≥ 1 (default 1000).
    public var logEvery = 1000
    /// Environment steps between two checkpoints, ≥ 1 (default 10000).
    public var checkpointEvery = 10_000
    /// Episodes of the evaluation at the end, without exploration, ≥ 1 (default 20).
    public var evaluationEpisodes = 20

    public init(steps: Int) { self.steps = steps }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        steps = try container.decode(Int.self, forKey: .steps)
        copies = try container.decode(.copies, default: copies)
        seed = try container.decode(.seed, default: seed)
        threads = try container.decode(.threads, default: threads)
        logEvery = try container.decode(.logEvery, default: logEvery)
        checkpointEvery = try container.decode(.checkpointEvery, default: checkpointEvery)
        evaluationEpisodes = try container.decode(.evaluationEpisodes, default: evaluationEpisodes)
        let limit = 1_000_000_000_000
        for (key, value, most) in [
            (CodingKeys.steps, steps, limit), (.copies, copies, 1 << 20), (.threads, threads, 1024),
            (.logEvery, logEvery, limit), (.checkpointEvery, checkpointEvery, limit),
            (.evaluationEpisodes, evaluationEpisodes, 1_000_000),
        ] where !(1...most).contains(value) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container, debugDescription: "is \(value); allowed: 1 to \(most)")
        }
    }
}
