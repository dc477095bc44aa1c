import Foundation

/// Normal distributions in equal shares: what samples of a regression's weights say together of one number.
///
/// ```
/// p(y) = (1/S)·Σₛ N(y; μₛ, σₛ²)
/// E[y] = (1/S)·Σ μₛ,   Var[y] = (1/S)·Σ σₛ² + (1/S)·Σ (μₛ − E[y])²
/// ```
///
/// The first part of the variance is of the noise, aleatoric; the second is how much the samples disagree, epistemic.
public struct NormalMixture: Codable, Sendable, Equatable {
    /// μₛ.
    public let means: [Double]
    /// σₛ > 0.
    public let deviations: [Double]

    /// - Precondition: there is a sample, and each has a mean and a positive deviation.
    public init(means: [Double], deviations: [Double]) {
        precondition(
            !means.isEmpty && means.count == deviations.count && deviations.allSatisfy { $0 > 0 },
            "a mixture has a mean and a deviation above 0 for each part; these are \(means.count) and \(deviations.count)"
        )
        self.means = means
        self.deviations = deviations
    }

    private var count: Double { Double(means.count) }

    /// E[y].
    public var mean: Double { Sample.mean(means) }
    /// (1/S)·Σ σₛ².
    public var aleatoricVariance: Double { deviations.reduce(0) { $0 + $1 * $1 } / count }
    /// (1/S)·Σ (μₛ − E[y])².
    public var epistemicVariance: Double {
        let mean = mean
        return means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    }
    /// Var[y].
    public var variance: Double { aleatoricVariance + epistemicVariance }

    /// log p(y): the log predictive density, exact far from all means too.
    public func logDensity(_ y: Double) -> Double {
        let logs = zip(means, deviations).map { mean, deviation in
            let z = (y - mean) / deviation
            return -0.5 * z * z - log(deviation) - 0.5 * log(2 * Double.pi)
        }
        let largest = logs.max()!
        guard largest > -.infinity else { return largest }
        return largest + log(logs.reduce(0) { $0 + exp($1 - largest) } / count)
    }

    /// P(Y ≤ y).
    public func cumulative(_ y: Double) -> Double {
        zip(means, deviations).reduce(0) { $0 + Normal.cumulative((y - $1.0) / $1.1) } / count
    }

    /// The y with P(Y ≤ y) = p, for p in (0, 1).
    public func quantile(_ p: Double) -> Double {
        // The quantile of a mixture lies between those of its parts.
        let z = Normal.quantile(p)
        let parts = zip(means, deviations).map { $0 + z * $1 }
        let (low, high) = (parts.min()!, parts.max()!)
        guard low < high else { return low }
        let found = Normal.inverse(of: cumulative, at: p, from: low, to: high)
        return min(max(found, low), high)
    }

    /// The credible interval between the quantiles (1 − level)/2 and (1 + level)/2.
    public func interval(level: Double) -> Interval {
        Interval(lower: quantile((1 - level) / 2), upper: quantile((1 + level) / 2), level: level)
    }
}
