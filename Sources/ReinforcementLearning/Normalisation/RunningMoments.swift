/// The mean and the variance of each element over all rows seen so far.
///
/// A batch of n rows with mean m and variance v joins c earlier ones (Chan's parallel update, in float64), with d = m − μ:
///
/// ```
/// μ ← μ + d·n/(c + n)      σ² ← (c·σ² + n·v + d²·c·n/(c + n))/(c + n)      c ← c + n
/// ```
///
/// It begins as μ = 0, σ² = 1 with the weight c = 10⁻⁴, as Gymnasium's `RunningMeanStd`.
///
/// Source: Chan, Golub and LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances.
public struct RunningMoments: Sendable, Codable, Hashable {
    /// c: rows seen, and 10⁻⁴.
    public private(set) var count = 1e-4
    public private(set) var mean: [Double]
    /// The population variance: over n, not n − 1.
    public private(set) var variance: [Double]

    /// - Parameter size: the elements of a row, at least 1.
    public init(size: Int) {
        mean = [Double](repeating: 0, count: size)
        variance = [Double](repeating: 1, count: size)
    }

    /// The elements of a row.
    public var size: Int { mean.count }

    /// Takes in whole rows, one after the other; none changes nothing.
    public mutating func add(_ rows: Span<Float>) {
        let size = mean.count
        let n = rows.count / size
        precondition(rows.count == n * size, "a row has \(size) elements; there are \(rows.count)")
        guard n > 0 else { return }
        let total = count + Double(n)
        for element in 0..<size {
            var sum = 0.0
            for row in 0..<n { sum += Double(rows[row * size + element]) }
            let batchMean = sum / Double(n)
            var squares = 0.0
            for row in 0..<n {
                let distance = Double(rows[row * size + element]) - batchMean
                squares += distance * distance
            }
            let shift = batchMean - mean[element]
            mean[element] += shift * Double(n) / total
            variance[element] =
                (count * variance[element] + squares + shift * shift * count * Double(n) / total) / total
        }
        count = total
    }
}
