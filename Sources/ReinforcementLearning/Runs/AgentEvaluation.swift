import Environments
import Foundation
import PerturbedEquations
import Statistics

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
        episodes = played.count
        mean = Sample.mean(totals)
        deviation = totals.count > 1 ? Sample.deviation(totals) : 0
        least = totals.min() ?? 0
        greatest = totals.max() ?? 0
        meanLength = Sample.mean(played.map { Double($0.length) })
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
                if let episode = copies.endedEpisode(of: copy) {
                    played[copy].append(episode)
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
