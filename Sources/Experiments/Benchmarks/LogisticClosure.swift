import Datasets
import Foundation
import PerturbedEquations
import PosteriorSampling

extension Potential where Scalar == Float {
    /// Bayesian logistic regression as a user's own closure would have it, for comparison with
    /// ``logisticRegression(_:labels:intercept:prior:batchSize:)``: ℓᵢ = log(1 + exp(−sᵢ(w·xᵢ + b))), s = ±1, θ = (w, b).
    ///
    /// - Precondition: the examples are numbers, of two classes.
    static func logisticClosure(
        _ split: DataSplit, batchSize: Int, prior: any Prior
    ) throws -> Potential {
        let (count, width) = (split.count, split.exampleSize)
        // Rows of a whole number of vectors, with 1 for the bias after the features.
        let padded = (width + 1 + 15) / 16 * 16
        let rows = AlignedRows(count: count, width: padded)
        var features = [Float](repeating: 0, count: width)
        var label = [Int64](repeating: 0, count: 1)
        for row in 0..<count {
            features.withUnsafeMutableBufferPointer { features in
                label.withUnsafeMutableBufferPointer { label in
                    split.copyBatch([row][...], into: features, labels: label)
                }
            }
            for i in 0..<width { rows[row, i] = features[i] }
            rows[row, width] = 1
            rows.signs[row] = label[0] == 1 ? 1 : -1
        }
        return try Potential(
            dimension: width + 1, examples: count, batchSize: batchSize, prior: prior
        ) { theta, batch, gradient in
            theta.withUnsafeBufferPointer { theta in
                batch.withUnsafeBufferPointer { batch in
                    gradient.withUnsafeMutableBufferPointer { rows.losses(theta, batch, $0) }
                }
            }
        }
    }
}

/// Examples as rows of vectors of 16 floats; read by all chains.
private final class AlignedRows: @unchecked Sendable {
    let width: Int
    private let vectors: UnsafeMutablePointer<SIMD16<Float>>
    let signs: UnsafeMutablePointer<Float>

    init(count: Int, width: Int) {
        self.width = width / 16
        vectors = .allocate(capacity: count * width / 16)
        vectors.initialize(repeating: .zero, count: count * width / 16)
        signs = .allocate(capacity: count)
    }

    deinit {
        vectors.deallocate()
        signs.deallocate()
    }

    subscript(row: Int, column: Int) -> Float {
        get { vectors[row * width + column / 16][column % 16] }
        set { vectors[row * width + column / 16][column % 16] = newValue }
    }

    /// Σ ℓᵢ over a batch; adds its gradient. Products and sums apart: a fused one is a call where the machine is not known.
    func losses(
        _ theta: UnsafeBufferPointer<Float>, _ batch: UnsafeBufferPointer<Int>,
        _ gradient: UnsafeMutableBufferPointer<Float>
    ) -> Double {
        let width = width
        return withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: 2 * width) { memory in
            memory.initialize(repeating: .zero)
            let (weights, slope) = (memory.baseAddress!, memory.baseAddress! + width)
            for i in theta.indices { weights[i / 16][i % 16] = theta[i] }
            // Σ log(1 + pᵢ) = log Π(1 + pᵢ): one logarithm for as many rows as the product has room for.
            var (losses, product) = (0.0, 1.0)
            for row in batch {
                let x = vectors + row * width
                var sum = SIMD16<Float>.zero
                for i in 0..<width { sum += weights[i] * x[i] }
                let margin = signs[row] * sum.sum()
                // log(1 + e⁻ᵐ) and its derivative −1/(1 + eᵐ), without overflow.
                let power = exp(-abs(margin))
                losses += Double(max(0, -margin))
                product *= 1 + Double(power)
                if product > 1e300 {
                    losses += log(product)
                    product = 1
                }
                let factor = -signs[row] * (margin > 0 ? power : 1) / (1 + power)
                for i in 0..<width { slope[i] += factor * x[i] }
            }
            for i in gradient.indices { gradient[i] += slope[i / 16][i % 16] }
            return losses + log(product)
        }
    }
}
