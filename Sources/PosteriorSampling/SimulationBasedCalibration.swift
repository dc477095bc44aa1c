import Dispatch
import PerturbedEquations
import Statistics
import Synchronization

/// Whether a sampler samples the posteriors that it is asked for: simulation-based calibration.
///
/// ```
/// θ* ~ p(θ),   y ~ p(y|θ*),   θ₁ … θ_M ~ p(θ|y)   ⇒   rank of f(θ*) among f(θ₁) … f(θ_M) is uniform on 0 … M
/// ```
///
/// for every function f, where the draws are independent. Draws that are too narrow give ranks at both ends, too wide ones ranks
/// in the middle, biased ones ranks at one end. A χ² test says whether the ranks of many replications can be uniform.
///
/// ```swift
/// let calibration = SimulationBasedCalibration<Double>(replications: 512, draws: 63, bins: 16)
/// let ranks = try calibration.run { replication in
///     let truth = …                                   // θ* from the prior, by the replication's key
///     return (truth, PosteriorSampler(try potential(of: data(truth)), rule: …, schedule: …))
/// }
/// print(ranks.map { "\($0.name): p = \($0.test.pValue)" })
/// ```
///
/// A function that looks at the data too, such as U itself, finds samplers that give back the prior: coordinates cannot.
///
/// Source: Talts, Betancourt, Simpson, Vehtari and Gelman 2018, Validating Bayesian Inference Algorithms with Simulation-Based
/// Calibration; Modrák et al. 2023 for functions of the data
public struct SimulationBasedCalibration<Scalar: EquationScalar>: Sendable {
    /// Posteriors that are sampled.
    public var replications: Int
    /// M: of all draws of a replication's chain so many, evenly spread.
    public var draws: Int
    /// Of ranks; they divide M + 1.
    public var bins: Int
    /// What every replication's key derives from; 1 unless told.
    public var seed: UInt64 = 1

    /// The ranks of one function.
    public struct Ranks: Sendable {
        public let name: String
        /// Of each replication, 0 … M.
        public let ranks: [Int]
        /// How many are in each bin.
        public let counts: [Int]
        /// Whether they can be uniform.
        public let test: ChiSquaredTest
    }

    /// - Precondition: the bins divide M + 1, and each expects five replications at least.
    public init(replications: Int, draws: Int, bins: Int) {
        precondition(
            bins >= 2 && (draws + 1).isMultiple(of: bins),
            "\(bins) bins do not divide the \(draws + 1) ranks")
        precondition(
            replications >= 5 * bins,
            "\(replications) replications for \(bins) bins; allowed: \(5 * bins) at least")
        (self.replications, self.draws, self.bins) = (replications, draws, bins)
    }

    /// Samples all replications, side by side on the cores.
    ///
    /// - Parameter replicate: for the key of a replication, θ* from the prior and a sampler of the posterior of data from
    ///   p(y|θ*). It takes one chain of each, whose draws should be nearly independent when thinned to M; the functions of the
    ///   sampler are what is ranked.
    /// - Returns: the ranks of each function.
    /// - Throws: what `replicate` and the sampler throw; `ConfigurationError` for a schedule with fewer draws than M.
    public func run(
        _ replicate: @Sendable (NoiseKey) throws -> (truth: [Scalar], sampler: PosteriorSampler<Scalar>)
    ) throws -> [Ranks] {
        let found = Mutex(
            [Result<[(name: String, rank: Int)], any Error>?](repeating: nil, count: replications))
        DispatchQueue.concurrentPerform(iterations: replications) { number in
            let key = NoiseKey(seed: seed).derived("replication").derived(UInt64(number))
            let result = Result { try ranks(key, replicate) }
            found.withLock { $0[number] = result }
        }
        let all = try found.withLock { $0 }.map { try $0!.get() }
        return all[0].indices.map { place in
            let ranks = all.map { $0[place].rank }
            var counts = [Int](repeating: 0, count: bins)
            for rank in ranks { counts[rank * bins / (draws + 1)] += 1 }
            return Ranks(
                name: all[0][place].name, ranks: ranks, counts: counts, test: ChiSquaredTest(uniform: counts))
        }
    }

    private func ranks(
        _ key: NoiseKey,
        _ replicate: (NoiseKey) throws -> (truth: [Scalar], sampler: PosteriorSampler<Scalar>)
    ) throws -> [(name: String, rank: Int)] {
        var (truth, sampler) = try replicate(key)
        (sampler.chains, sampler.threads, sampler.seed) = (1, 1, key.derived("chain").seed)
        try require(
            truth.count == sampler.potential.dimension, "truth", is: "\(truth.count) numbers",
            allowed: "\(sampler.potential.dimension), as θ has")
        try require(
            sampler.schedule.draws >= draws, "schedule", is: "\(sampler.schedule.draws) draws",
            allowed: "\(draws) at least, as many as are ranked")
        let samples = try sampler.sample()
        return try sampler.functions.map { function in
            let value = function.value(truth.span)
            let chain = try samples.function(function.name).draws[0]
            let rank = (0..<draws).count { chain[($0 + 1) * chain.count / draws - 1] < value }
            return (function.name, rank)
        }
    }
}
