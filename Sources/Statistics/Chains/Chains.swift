/// Draws of one number by several Markov chains, all of the same length.
public struct Chains: Sendable, Equatable {
    /// Each chain's draws, in order.
    public let draws: [[Double]]

    /// - Precondition: there is a chain, and all are of the same length.
    public init(_ draws: [[Double]]) {
        precondition(
            !draws.isEmpty && draws.allSatisfy { $0.count == draws[0].count },
            "chains have draws, as many each; these have \(draws.map(\.count))")
        self.draws = draws
    }

    public var count: Int { draws.count }
    /// Draws of each chain.
    public var length: Int { draws[0].count }

    /// The first and second half of each chain as chains of their own; the middle draw of an odd number is left out. A chain
    /// that has not yet arrived disagrees with itself.
    public var split: Chains {
        let half = length / 2
        return Chains(draws.flatMap { [Array($0[..<half]), Array($0[(length - half)...])] })
    }

    /// The chains of another number of each draw.
    public func map(_ change: (Double) -> Double) -> Chains { Chains(draws.map { $0.map(change) }) }

    /// All draws, chain by chain.
    var pooled: [Double] { draws.flatMap(\.self) }

    /// Normal scores of the draws' ranks among all, ties shared: z = Φ⁻¹((r − 3/8)/(S + 1/4)) for S draws. They have a mean and a
    /// variance, whatever the distribution.
    ///
    /// Source: Vehtari et al. 2021, Rank-Normalization, Folding, and Localization: An Improved R̂ for Assessing Convergence of
    /// MCMC, equation 14; Blom 1958.
    var rankNormalised: Chains {
        let values = pooled
        var scores = [Double](repeating: 0, count: values.count)
        let order = values.indices.sorted { values[$0] < values[$1] }
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
            // Ranks begin at 1; those of a tie are their mean.
            let rank = Double(first + 1 + end) / 2
            let score = Normal.quantile((rank - 0.375) / (Double(values.count) + 0.25))
            for place in order[first..<end] { scores[place] = score }
            first = end
        }
        return Chains((0..<count).map { Array(scores[($0 * length)..<(($0 + 1) * length)]) })
    }

    /// Whether all draws are finite and not all the same: else no diagnostic means anything.
    var areUsable: Bool {
        let first = draws[0].first
        return length >= 4 && draws.allSatisfy { $0.allSatisfy(\.isFinite) }
            && draws.contains { $0.contains { $0 != first } }
    }
}
