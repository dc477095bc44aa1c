import Torch

/// Weights W = gain·Q with Q drawn evenly (Haar) from the matrices whose rows are orthonormal, or whose columns are where
/// these are fewer: Wᵀ·W or W·Wᵀ is gain²·I. The distribution of PyTorch's `nn.init.orthogonal_`.
///
/// Normal draws are made orthonormal one after the other (Gram–Schmidt, in float64 and twice, so that rounding leaves no
/// rest), which is the QR decomposition with a positive diagonal.
///
/// Source: Saxe et al. 2014, Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks; Mezzadri
/// 2007, How to Generate Random Matrices from the Classical Compact Groups.
enum Orthogonal {
    /// Overwrites a weight [out, in, …], whose further dimensions count as inputs.
    /// - Complexity: O(out·in·min(out, in)).
    static func fill(_ weight: Tensor, gain: Double, seed: UInt64) throws(TorchError) {
        let rows = weight.size(0)
        let columns = weight.count / max(rows, 1)
        let (count, length) = (min(rows, columns), max(rows, columns))
        var vectors = try Tensor.normal([count, length], seed: seed, dtype: .float64).array(of: Double.self)
        vectors.withUnsafeMutableBufferPointer { orthonormalise($0, count: count, length: length) }
        let scaled = vectors.map { $0 * gain }
        let matrix = try Tensor(scaled, shape: [count, length])
        weight.copy(
            from: (rows <= columns ? matrix : matrix.transposed(0, 1)).reshaped(weight.shape))
    }

    private static func orthonormalise(
        _ vectors: UnsafeMutableBufferPointer<Double>, count: Int, length: Int
    ) {
        for i in 0..<count {
            let own = vectors.baseAddress! + i * length
            for _ in 0..<2 {
                for j in 0..<i {
                    let other = vectors.baseAddress! + j * length
                    var product = 0.0
                    for k in 0..<length { product += own[k] * other[k] }
                    for k in 0..<length { own[k] -= product * other[k] }
                }
            }
            var square = 0.0
            for k in 0..<length { square += own[k] * own[k] }
            let norm = square.squareRoot()
            for k in 0..<length { own[k] /= norm }
        }
    }
}
