import Foundation
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Statistics
import Training

/// The outcome of a sampling run: `result.json`, and what `peo sample --json` prints.
public struct SamplingResult: RunResult, Codable, Equatable {
    /// What the chains say of one number.
    public struct Number: Codable, Sendable, Equatable {
        public var name: String
        public var diagnostics: ChainDiagnostics
    }

    /// How well chains agree on single weights: a random choice of them where there are many.
    public struct Weights: Codable, Sendable, Equatable {
        /// How many were looked at, of how many.
        public var count: Int
        public var total: Int
        /// The largest R̂ and the smallest bulk effective size, and whose they are; absent where they can be told of none.
        public var largestRHat: Double?
        public var largestRHatOf: String?
        public var leastEffectiveSize: Double?
        public var leastEffectiveSizeOf: String?
        /// How many have R̂ above `ChainDiagnostics.largestRHat`.
        public var disagreeing: Int
    }

    public var status: TrainingResult.Status
    /// The configuration's name, the model's, the data set's, the rule's and the prior's.
    public var name: String
    public var model: String
    public var data: String
    public var rule: String
    public var prior: String
    /// How the posterior is approximated, by its name in the catalogue; absent in results from before there was a choice: chains.
    public var posterior: String?
    /// The number of the model's weights.
    public var parameters: Int
    public var seed: UInt64
    public var chains: Int
    /// Steps and draws of each chain.
    public var steps: Int
    public var draws: Int
    /// Wall time of sampling without saving, over all sessions; steps and draws of all chains in a second of it.
    public var trainingSeconds: Double
    public var stepsPerSecond: Double
    public var drawsPerSecond: Double
    /// U, ‖θ‖, and predictions of test examples; without R̂ and effective sizes where draws are no Markov chains'.
    public var functions: [Number]
    /// Absent where draws are no Markov chains'.
    public var weights: Weights?
    /// Why the draws are not to be trusted; empty where nothing speaks against them.
    public var warnings: [String]
    public var stability: StabilityReport

    public var metrics: [String: Double] {
        let rHats = functions.map(\.diagnostics.splitRHat).filter { !$0.isNaN }
        let sizes = functions.map(\.diagnostics.bulkEffectiveSize).filter(\.isFinite)
        var metrics = ["draws": Double(draws * chains), "trainingSeconds": trainingSeconds]
        // The worst is infinite where chains stand still: no number to compare, and the next worst would flatter them.
        metrics["rHat"] = rHats.max().flatMap { $0.isFinite ? $0 : nil }
        metrics["effectiveSize"] = sizes.min()
        return metrics
    }

    /// How many weights are looked at, at most.
    private static let weightsShown = 100

    /// The diagnostics of a run's draws.
    ///
    /// - Parameter isOne: whether the chains look for one posterior, each along its path.
    static func numbers(_ samples: Samples, ofOnePosterior isOne: Bool) throws -> [Number] {
        try samples.functions.map {
            let chains = try samples.function($0)
            return Number(
                name: $0, diagnostics: isOne ? ChainDiagnostics(chains) : ChainDiagnostics(summaryOf: chains))
        }
    }

    static func warnings(_ numbers: [Number]) -> [String] {
        numbers.compactMap { number in number.diagnostics.warning.map { "\(number.name): \($0)" } }
    }

    /// - Parameter seed: chooses the weights that are looked at.
    static func weights(_ samples: Samples, seed: UInt64) throws -> Weights {
        let total = samples.parameters.reduce(0) { $0 + $1.count }
        let chosen =
            total <= weightsShown
            ? Array(0..<total)
            : Set(
                (0..<weightsShown).map {
                    Int(
                        NoiseKey(seed: seed).derived("weights").uniformIndex(below: UInt64(total), UInt64($0))
                    )
                }
            ).sorted()
        var (first, found) = (0, [(name: String, chains: Chains)]())
        for spec in samples.parameters {
            let own = chosen.filter { (first..<(first + spec.count)).contains($0) }.map { $0 - first }
            first += spec.count
            found += zip(own, try samples.elements(own, of: spec.name)).map { ("\(spec.name)[\($0)]", $1) }
        }
        // An infinite one is of chains that stand still, each elsewhere: the worst there is.
        let rHats = found.map { ($0.name, $0.chains.splitRHat) }.filter { !$0.1.isNaN }
        let sizes = found.map { ($0.name, $0.chains.bulkEffectiveSize) }.filter(\.1.isFinite)
        let (worst, least) = (rHats.max { $0.1 < $1.1 }, sizes.min { $0.1 < $1.1 })
        return Weights(
            count: found.count, total: total, largestRHat: worst?.1, largestRHatOf: worst?.0,
            leastEffectiveSize: least?.1, leastEffectiveSizeOf: least?.0,
            disagreeing: rHats.count { $0.1 > ChainDiagnostics.largestRHat })
    }
}
