import PerturbedEquations

/// Regression with a sparse solution, written so that noise decides what is found: y = ⟨v⊙v, x⟩.
///
/// w* = v*⊙v* has `ones` leading ones and zeros after them; the points are xᵢ ~ N(0, I), fewer than there are dimensions. The
/// loss is L(v) = 1/m Σ ¼(⟨v⊙v, xᵢ⟩ − yᵢ)², so that ∇L = 1/m Σ (⟨v⊙v, xᵢ⟩ − yᵢ)·v⊙xᵢ.
///
/// Source: HaoChen, Wei, Lee, Ma 2021, Shape Matters: Understanding the Implicit Bias of the Noise Covariance, section 2.
package final class SparseRegression {
    package let dimensions: Int
    package let ones: Int
    package let points: Int
    /// One point after the other.
    private let x: [Double]
    /// The same numbers, one dimension after the other.
    private let transposed: [Double]
    private let y: [Double]
    private var residual: [Double]

    /// - Parameter seed: selects the points.
    package init(dimensions: Int, ones: Int, points: Int, seed: UInt64) {
        (self.dimensions, self.ones, self.points) = (dimensions, ones, points)
        var x = [Double](repeating: 0, count: points * dimensions)
        var span = x.mutableSpan
        NoiseStream(key: NoiseKey(seed: seed).derived("data"), step: 0, parameter: 0, term: 0)
            .fill(&span, with: .normal)
        self.x = x
        transposed = (0..<dimensions).flatMap { j in (0..<points).map { x[$0 * dimensions + j] } }
        y = (0..<points).map { i in (0..<ones).reduce(0) { $0 + x[i * dimensions + $1] } }
        residual = [Double](repeating: 0, count: points)
    }

    /// L(v).
    package func loss(at v: UnsafeBufferPointer<Double>) -> Double {
        (0..<points).reduce(0) { sum, i in
            let error = (0..<dimensions).reduce(-y[i]) { $0 + v[$1] * v[$1] * x[i * dimensions + $1] }
            return sum + error * error / (4 * Double(points))
        }
    }

    /// ‖v² − w*‖².
    package func error(_ v: UnsafeBufferPointer<Double>) -> Double {
        v.enumerated().reduce(0) { sum, entry in
            let difference = entry.element * entry.element - (entry.offset < ones ? 1 : 0)
            return sum + difference * difference
        }
    }

    /// g = 1/m Σ (⟨v², xᵢ⟩ − yᵢ)·v⊙xᵢ.
    package func gradient(at v: UnsafeBufferPointer<Double>, into g: UnsafeMutableBufferPointer<Double>) {
        for i in 0..<points { residual[i] = -y[i] }
        for j in 0..<dimensions {
            let square = v[j] * v[j]
            for i in 0..<points { residual[i] += square * transposed[j * points + i] }
        }
        g.update(repeating: 0)
        for i in 0..<points {
            let r = residual[i] / Double(points)
            for j in 0..<dimensions { g[j] += r * x[i * dimensions + j] }
        }
        for j in 0..<dimensions { g[j] *= v[j] }
    }

    /// g = (⟨v², xᵢ⟩ − yᵢ − e)·v⊙xᵢ, of one point whose label is off by e.
    package func gradient(
        at v: UnsafeBufferPointer<Double>, point i: Int, labelError: Double,
        into g: UnsafeMutableBufferPointer<Double>
    ) {
        var residual = -y[i] - labelError
        for j in 0..<dimensions { residual += v[j] * v[j] * x[i * dimensions + j] }
        for j in 0..<dimensions { g[j] = residual * v[j] * x[i * dimensions + j] }
    }
}
