import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct OrthogonalTests {
    @Test(arguments: [[3, 3], [2, 5], [5, 2], [64, 4], [1, 64], [6, 2, 3, 1]])
    func theShorterSideIsOrthonormalTimesTheGain(shape: [Int]) throws {
        let weight = try Tensor.zeros(shape)
        try Initialiser.orthogonal(gain: 1.5).fill(weight, seed: 7)
        let matrix = weight.reshaped([shape[0], -1]).converted(to: .float64)
        let product =
            matrix.size(0) <= matrix.size(1)
            ? matrix.matmul(matrix.transposed(0, 1)) : matrix.transposed(0, 1).matmul(matrix)
        let n = product.size(0)
        for (i, value) in try product.array(of: Double.self).enumerated() {
            #expect(abs(value - (i / n == i % n ? 2.25 : 0)) < 1e-5, "\(shape) \(i): \(value)")
        }
    }

    /// The draws are even: each element has mean 0 and variance gain²/n, and the matrix's determinant is either sign
    /// equally often. A QR decomposition without the sign of the diagonal fails this.
    @Test func drawsAreEven() throws {
        let (n, draws) = (3, 4000)
        var (sum, squares) = ([Double](repeating: 0, count: 9), [Double](repeating: 0, count: 9))
        var positive = 0
        for seed in 0..<draws {
            let weight = try Tensor.zeros([n, n])
            try Initialiser.orthogonal(gain: 1).fill(weight, seed: UInt64(seed))
            let w = try weight.array(of: Float.self).map(Double.init)
            for i in 0..<9 {
                sum[i] += w[i]
                squares[i] += w[i] * w[i]
            }
            let determinant =
                w[0] * (w[4] * w[8] - w[5] * w[7]) - w[1] * (w[3] * w[8] - w[5] * w[6]) + w[2]
                * (w[3] * w[7] - w[4] * w[6])
            if determinant > 0 { positive += 1 }
        }
        for i in 0..<9 {
            // Five deviations of the mean of so many draws.
            #expect(abs(sum[i] / Double(draws)) < 5 * (1 / 3.0 / Double(draws)).squareRoot(), "element \(i)")
            #expect(abs(squares[i] / Double(draws) - 1 / 3.0) < 0.03, "element \(i)")
        }
        #expect(abs(Double(positive) / Double(draws) - 0.5) < 0.04)
    }

    @Test func aConfigurationNamesIt() throws {
        let decoded = try JSONDecoder().decode(Initialiser.self, from: Data(#"{"orthogonal": 0.01}"#.utf8))
        #expect(decoded == .orthogonal(gain: 0.01))
        #expect(try JSONDecoder().decode(Initialiser.self, from: JSONEncoder().encode(decoded)) == decoded)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Initialiser.self, from: Data(#"{"orthogonal": 0}"#.utf8))
        }
    }
}
