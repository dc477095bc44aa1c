import Foundation
import Torch

/// Means over the minibatches of an update, for the log.
struct UpdateStatistics {
    private(set) var count = 0
    private var sums: [Double]

    /// - Parameter size: how many numbers each minibatch has.
    init(size: Int) { sums = [Double](repeating: 0, count: size) }

    mutating func add(_ values: Double...) {
        precondition(values.count == sums.count, "\(sums.count) numbers, always the same ones")
        for (i, value) in values.enumerated() { sums[i] += value }
        count += 1
    }

    func mean(_ index: Int) -> Double { sums[index] / Double(max(1, count)) }
}

/// How far a policy has moved from the one that acted, by the log-ratios x = log π(a|s) − log π_old(a|s) of some actions.
package struct PolicyMove {
    /// Mean of eˣ − 1 − x, an estimate of KL(π_old ‖ π) that is never negative.
    package var approximateKL: Double
    /// The share of actions whose ratio eˣ is outside 1 − ε … 1 + ε.
    package var clipFraction: Double

    /// Source: Schulman 2020, Approximating KL Divergence.
    package init(logRatio: Tensor, clip: Double) {
        var (divergence, clipped) = (0.0, 0)
        let count = logRatio.count
        logRatio.withUnsafeMutableBytes { bytes in
            for x in bytes.assumingMemoryBound(to: Float.self) {
                let ratio = exp(x)
                divergence += Double((ratio - 1) - x)
                if abs(Double(ratio) - 1) > clip { clipped += 1 }
            }
        }
        approximateKL = divergence / Double(max(1, count))
        clipFraction = Double(clipped) / Double(max(1, count))
    }
}

/// 1 − Var(y − ŷ)/Var(y): 1 for perfect predictions, 0 for a constant, less for worse; 0 where y does not vary.
package func explainedVariance(of targets: Span<Float>, by predictions: Span<Float>) -> Double {
    let n = Double(targets.count)
    var (mean, error) = (0.0, 0.0)
    for i in targets.indices {
        mean += Double(targets[i])
        error += Double(targets[i] - predictions[i])
    }
    mean /= n
    error /= n
    var (variance, rest) = (0.0, 0.0)
    for i in targets.indices {
        let target = Double(targets[i])
        variance += (target - mean) * (target - mean)
        let difference = target - Double(predictions[i]) - error
        rest += difference * difference
    }
    return variance == 0 ? 0 : 1 - rest / variance
}
