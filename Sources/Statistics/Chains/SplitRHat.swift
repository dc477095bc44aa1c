extension Chains {
    /// The potential scale reduction R̂ of split chains, robust by ranks: the larger of that of the draws' normal scores (their
    /// place) and that of the scores of |x − median| (their spread). 1 where the chains agree; above 1.01 they do not.
    ///
    /// ```
    /// R̂ = √((n − 1)/n + B/W),   B the variance of the chains' means, W the mean of their variances, n their length
    /// ```
    ///
    /// NaN for fewer than four draws, draws that are not finite, and draws that are all the same.
    ///
    /// Source: Vehtari et al. 2021, Rank-Normalization, Folding, and Localization.
    public var splitRHat: Double {
        guard areUsable else { return .nan }
        let halves = split
        let sorted = halves.pooled.sorted()
        let median = Sample.quantile(0.5, ofSorted: sorted)
        let folded = halves.map { abs($0 - median) }
        return max(halves.rankNormalised.scaleReduction, folded.rankNormalised.scaleReduction)
    }

    /// R̂ of the draws as they are.
    private var scaleReduction: Double {
        let means = draws.map(Sample.mean)
        let within = Sample.mean(draws.map { Sample.deviation($0) * Sample.deviation($0) })
        let between = Sample.deviation(means) * Sample.deviation(means)
        let n = Double(length)
        return ((n - 1) / n + between / within).squareRoot()
    }
}
