import Environments
import Foundation
import PerturbedEquations

/// Episodes of an agent's policy without exploration.
public struct AgentEvaluation: Codable, Sendable, Equatable {
    /// How many.
    public var episodes: Int
    /// The mean of their returns, undiscounted, in the environment's own unit.
    public var mean: Double
    /// The deviation of single returns, over n − 1; 0 for one episode.
    public var deviation: Double
    public var least: Double
    public var greatest: Double
    /// The mean of their lengths, in steps.
    public var meanLength: Double
    /// The return of each.
    public var returns: [Double]

    init(_ played: [LearnerReport.Episode]) {
        let totals = played.map(\.total)
        let n = Double(totals.count)
        let average = totals.reduce(0, +) / n
        episodes = played.count
        mean = average
        deviation =
            totals.count > 1
            ? (totals.reduce(0) { $0 + ($1 - average) * ($1 - average) } / (n - 1)).squareRoot() : 0
        least = totals.min() ?? 0
        greatest = totals.max() ?? 0
        meanLength = played.reduce(0) { $0 + Double($1.length) } / n
        returns = totals
    }

    /// How many copies play at once.
    private static let copies = 16

    /// Plays episodes with an agent that does not change.
    ///
    /// Each copy plays the same number of episodes, and the first of them count: were it the first to end, short
    /// episodes would count for more.
    ///
    /// - Parameters:
    ///   - seed: of the episodes, which are not those that the agent learnt in.
    ///   - stepLimit: ends an environment without a time limit, in steps of an episode.
    /// - Throws: `EnvironmentError`, `TorchError`.
    public static func play(
        _ learner: any Learner, in environment: any Environment, episodes: Int, seed: UInt64,
        stepLimit: Int = 100_000
    ) throws -> AgentEvaluation {
        let count = min(copies, episodes)
        let copies = try makeCopies(
            of: environment, count: count, seed: NoiseKey(seed: seed).derived("evaluation").seed)
        var actions = [Float](repeating: 0, count: count * copies.actionSpace.count)
        let each = (episodes + count - 1) / count
        var played = [[LearnerReport.Episode]](repeating: [], count: count)
        while played.contains(where: { $0.count < each }) {
            try copies.observations.withUnsafeBufferPointer { observations in
                var span = actions.mutableSpan
                try learner.act(on: observations.span, count: count, into: &span)
            }
            try copies.step(actions.span)
            for copy in 0..<count where played[copy].count < each {
                if copies.terminated[copy] || copies.truncated[copy] {
                    played[copy].append(
                        .init(total: copies.episodeReturns[copy], length: copies.episodeLengths[copy]))
                } else if copies.progress(of: copy).steps >= stepLimit {
                    throw EnvironmentError(
                        .space,
                        "environment '\(copies.name)': an episode of the evaluation has not ended after \(stepLimit) "
                            + "steps, and the environment has no time limit; allowed: environments with one")
                }
            }
        }
        let inOrder = (0..<each).flatMap { round in played.map { $0[round] } }
        return AgentEvaluation(Array(inOrder.prefix(episodes)))
    }
}

/// Copies of an environment of any type.
public func makeCopies(
    of environment: some Environment, count: Int, seed: UInt64
) throws -> VectorEnvironment {
    try VectorEnvironment(environment, copies: count, seed: seed)
}
