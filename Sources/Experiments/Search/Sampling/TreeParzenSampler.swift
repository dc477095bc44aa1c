import Foundation
import PerturbedEquations
import Statistics

/// The tree-structured Parzen estimator: tries what is likely among the good trials and unlikely among the others.
///
/// The best ⌈0.15·n⌉ trials (2 at least) and the rest each give a density, l and g; of 24 points drawn from l, the one with
/// the largest l/g is tried. A density is a mixture with one kernel for each trial and one that knows nothing: for settings with
/// an order normal distributions cut to [0, 1], of deviation 0.2·n^(−1/(d+4)) and 1/min(n + 1, 100) at least; for choices
/// the trial's own value with an equal share of all. The kernels are products over the settings.
///
/// Trials of a higher rung are better than those of a lower, which did not get there. Before there are enough trials, the points
/// are Sobol's.
///
/// Bergstra, Bardenet, Bengio, Kégl (2011), "Algorithms for hyper-parameter optimization"; the joint kernels of Falkner, Klein,
/// Hutter (2018), "BOHB".
package struct TreeParzenSampler: PointSampler {
    /// For each setting the number of its values where they have no order.
    package let choices: [Int?]
    package let key: NoiseKey

    package init(choices: [Int?], key: NoiseKey) {
        self.choices = choices
        self.key = key
    }

    private static let candidates = 24
    private static let goodShare = 0.15

    /// Trials that must have been measured before the densities mean anything.
    private var enough: Int { max(8, 2 * choices.count + 2) }

    package func point(ofTrial trial: Int, seen: [SeenPoint]) -> [Double] {
        guard seen.count >= enough else {
            return SobolSampler(dimensions: choices.count, key: key).point(ofTrial: trial, seen: seen)
        }
        let good = max(2, Int((Self.goodShare * Double(seen.count)).rounded(.up)))
        let likely = ParzenDensity(seen.prefix(good).map(\.point), choices: choices)
        let unlikely = ParzenDensity(seen.dropFirst(good).map(\.point), choices: choices)
        let stream = key.derived("tpe").derived(UInt64(trial))
        let drawn = (0..<Self.candidates).map { likely.draw(stream.derived(UInt64($0))) }
        let scores = drawn.map { likely.logDensity($0) - unlikely.logDensity($0) }
        return drawn[scores.indices.max { scores[$0] < scores[$1] }!]
    }
}

/// A mixture of product kernels on the unit cube.
package struct ParzenDensity {
    private let points: [[Double]]
    private let choices: [Int?]
    private let deviation: Double

    package init(_ points: [[Double]], choices: [Int?]) {
        self.points = points
        self.choices = choices
        let (n, d) = (Double(points.count), Double(choices.count))
        deviation = max(0.2 * pow(max(n, 1), -1 / (d + 4)), 1 / min(n + 1, 100))
    }

    /// The kernel that knows nothing is the last.
    private var kernels: Int { points.count + 1 }

    package func draw(_ key: NoiseKey) -> [Double] {
        let kernel = Int(key.uniformIndex(below: UInt64(kernels), 0))
        return choices.indices.map { dimension in
            let u = key.uniform(UInt64(dimension) + 1)
            guard kernel < points.count else { return u }
            let centre = points[kernel][dimension]
            if let count = choices[dimension] {
                // The trial's own value with the weight 1, and all of them together with 1/kernels.
                let others = 1 / Double(kernels)
                guard u * (1 + others) >= 1 else {
                    return (Double(SearchRange.place(centre, of: count)) + 0.5) / Double(count)
                }
                return (u * (1 + others) - 1) / others
            }
            let (low, high) = bounds(centre)
            let z = Normal.quantile(low + u * (high - low))
            return min(max(centre + deviation * z, 0), 1 - 0x1p-53)
        }
    }

    package func logDensity(_ point: [Double]) -> Double {
        let logs = (0..<kernels).map { kernel in
            kernel == points.count
                ? 0 : choices.indices.reduce(0) { $0 + logKernel(kernel, dimension: $1, at: point[$1]) }
        }
        let largest = logs.max()!
        return largest + log(logs.reduce(0) { $0 + exp($1 - largest) } / Double(kernels))
    }

    private func logKernel(_ kernel: Int, dimension: Int, at u: Double) -> Double {
        let centre = points[kernel][dimension]
        if let count = choices[dimension] {
            let others = 1 / Double(kernels)
            let isSame = SearchRange.place(u, of: count) == SearchRange.place(centre, of: count)
            let share = ((isSame ? 1 : 0) + others / Double(count)) / (1 + others)
            // As a density on [0, 1], like the others.
            return log(share * Double(count))
        }
        let z = (u - centre) / deviation
        let (low, high) = bounds(centre)
        return -0.5 * z * z - log(deviation * (2 * Double.pi).squareRoot() * (high - low))
    }

    /// The normal distribution's shares below 0 and 1.
    private func bounds(_ centre: Double) -> (Double, Double) {
        (Normal.cumulative(-centre / deviation), Normal.cumulative((1 - centre) / deviation))
    }
}
