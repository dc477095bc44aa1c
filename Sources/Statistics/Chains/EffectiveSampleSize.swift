import Foundation
import PerturbedEquations

extension Chains {
    /// How many independent draws tell as much of the middle of the distribution: the effective sample size of the normal scores
    /// of split chains. NaN as ``splitRHat``.
    ///
    /// Source: Vehtari et al. 2021, Rank-Normalization, Folding, and Localization; Geyer 1992, Practical Markov Chain Monte Carlo.
    public var bulkEffectiveSize: Double { areUsable ? split.rankNormalised.effectiveSize : .nan }

    /// The same of the tails: the smaller of the effective sizes of "x is below the 5% quantile" and "… the 95% quantile".
    public var tailEffectiveSize: Double {
        guard areUsable else { return .nan }
        let sorted = pooled.sorted()
        return [0.05, 0.95].map { share in
            let quantile = Sample.quantile(share, ofSorted: sorted)
            return map { $0 <= quantile ? 1 : 0 }.split.effectiveSize
        }.min()!
    }

    /// The effective size for the mean, of split chains as they are: what ``meanError`` divides by.
    public var meanEffectiveSize: Double { areUsable ? split.effectiveSize : .nan }

    /// The Monte Carlo standard error of the mean: s/√(effective size for the mean).
    public var meanError: Double { Sample.deviation(pooled) / meanEffectiveSize.squareRoot() }

    /// The autocorrelations ρ₀ … ρₗ of a chain, by its own mean and with 1/n: ρₖ = Σ(xₜ − x̄)(xₜ₊ₖ − x̄)/Σ(xₜ − x̄)².
    public static func autocorrelation(_ draws: [Double], upTo lag: Int) -> [Double] {
        let mean = Sample.mean(draws)
        let centred = draws.map { $0 - mean }
        let whole = autocovariance(centred, 0)
        return (0...min(lag, max(draws.count - 1, 0))).map { autocovariance(centred, $0) / whole }
    }

    /// S/τ for S draws in all, with τ = −1 + 2·Σρₜ over Geyer's initial monotone sequence: the correlations of lags 2k and 2k + 1
    /// are added in pairs as long as the pairs are positive, none taken for more than the one before it.
    ///
    /// ρₜ = 1 − (W − mean over chains of the autocovariance at t)/V with V = (n − 1)/n·W + B, so that chains which disagree count
    /// for less. A τ below 1/log₁₀S, of chains that swing about their mean, is taken for that.
    private var effectiveSize: Double {
        let (n, total) = (Double(length), Double(count * length))
        // A share of no draws, or of all, never changes.
        guard let first = draws[0].first, draws.contains(where: { $0.contains { $0 != first } }) else {
            return total
        }
        let centred = draws.map { chain in
            let mean = Sample.mean(chain)
            return chain.map { $0 - mean }
        }
        func covariance(_ lag: Int) -> Double { Sample.mean(centred.map { Self.autocovariance($0, lag) }) }
        let within = covariance(0) * n / (n - 1)
        let between = count > 1 ? Sample.deviation(draws.map(Sample.mean)) : 0
        let whole = within * (n - 1) / n + between * between
        func correlation(_ lag: Int) -> Double { lag == 0 ? 1 : 1 - (within - covariance(lag)) / whole }

        var (pairs, lag) = (0.0, 0)
        var least = Double.infinity
        while true {
            let (even, odd) = (correlation(lag), correlation(lag + 1))
            guard even + odd > 0, lag + 4 < length else {
                // Of the pair that ends the sequence the first correlation still counts, once.
                pairs += max(even, 0) / 2
                break
            }
            least = min(even + odd, least)
            pairs += least
            lag += 2
        }
        let tau = max(-1 + 2 * pairs, 1 / log10(total))
        return total / tau
    }

    private static func autocovariance(_ centred: [Double], _ lag: Int) -> Double {
        guard lag < centred.count else { return 0 }
        let sum = centred.withUnsafeBufferPointer {
            dotProduct(.init(rebasing: $0.dropLast(lag)), .init(rebasing: $0.dropFirst(lag)))
        }
        return sum / Double(centred.count)
    }
}
