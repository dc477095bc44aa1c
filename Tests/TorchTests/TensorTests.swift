import Foundation
import Testing
import Torch

@Suite struct TensorTests {
    private let grid: Tensor

    init() throws { grid = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]) }

    private func floats(_ tensor: Tensor) throws -> [Float] { try tensor.array() }

    @Test func elementsOfEveryTypeComeBack() throws {
        #expect(try Tensor([0.5, -1] as [Float]).array(of: Float.self) == [0.5, -1])
        #expect(try Tensor([0.1, .infinity] as [Double]).array(of: Double.self) == [0.1, .infinity])
        #expect(try Tensor([.min, .max] as [Int64]).array(of: Int64.self) == [.min, .max])
        #expect(try Tensor([3, -4] as [Int]).array(of: Int.self) == [3, -4])
        #expect(try Tensor([0, 255] as [UInt8]).array(of: UInt8.self) == [0, 255])
        #expect(try Tensor([true, false]).array(of: Bool.self) == [true, false])
        #expect(try Tensor([] as [Float], shape: [0, 4]).array(of: Float.self).isEmpty)
        let brain = try Tensor([1.0, 3.140625] as [Float]).converted(to: .bfloat16)
        #expect(brain.dtype == .bfloat16 && brain.dtype.size == 2)
        #expect(try floats(brain.converted(to: .float32)) == [1, 3.140625])
    }

    @Test func shapeIsReported() throws {
        #expect(grid.shape == [2, 3] && grid.rank == 2 && grid.count == 6)
        #expect(grid.size(0) == 2 && grid.size(-1) == 3)
        #expect(grid.dtype == .float32 && grid.device == .cpu && grid.isContiguous)
        #expect(try Tensor.zeros([]).shape == [])
        #expect("\(try Tensor([1, 2] as [Int]))" == "Tensor[2] int64 [1.0, 2.0]")
    }

    @Test func creationFills() throws {
        #expect(try floats(.zeros([2])) == [0, 0])
        #expect(try floats(.ones([2])) == [1, 1])
        #expect(try Tensor.full([2], 7, dtype: .int64).array(of: Int.self) == [7, 7])
        #expect(try Tensor.range(2..<5).array(of: Int.self) == [2, 3, 4])
    }

    @Test func copiesAndViews() throws {
        let view = grid[1]
        let copy = grid.cloned()
        grid.fillInPlace(9)
        #expect(try floats(view) == [9, 9, 9])
        #expect(try floats(copy) == [1, 2, 3, 4, 5, 6])
        grid.copy(from: copy)
        #expect(try floats(grid) == [1, 2, 3, 4, 5, 6])
        grid.withUnsafeMutableBytes { $0.assumingMemoryBound(to: Float.self)[5] = -6 }
        #expect(try floats(view) == [4, 5, -6])
        var bytes = [Float](repeating: 0, count: 6)
        try bytes.withUnsafeMutableBytes { try grid.transposed(0, 1).copyElements(to: $0) }
        #expect(bytes == [1, 4, 2, 5, 3, -6])
    }

    @Test func arithmetic() throws {
        let row = try Tensor([10, 20, 30] as [Float])
        #expect(try floats(grid + row) == [11, 22, 33, 14, 25, 36])
        #expect(try floats(row - grid[0]) == [9, 18, 27])
        #expect(try floats(grid * grid) == [1, 4, 9, 16, 25, 36])
        #expect(try floats(row / 10) == [1, 2, 3])
        #expect(try floats(1 - grid[0]) == [0, -1, -2])
        #expect(try floats(2 * grid[0] + 1) == [3, 5, 7])
        #expect(try floats(-grid[0]) == [-1, -2, -3])
        #expect(try floats(grid.matmul(grid.transposed(0, 1))) == [14, 32, 32, 77])
        #expect(try floats(grid[0].power(2)) == [1, 4, 9])
        #expect(try floats(grid[0].squared().squareRoot()) == [1, 2, 3])
        #expect(try floats((-grid[0]).absolute().reciprocal()) == [1, 0.5, 1 / 3])
        #expect(try floats((grid - 2).sign()) == [-1, 0, 1, 1, 1, 1])
        #expect(try floats(grid.clamped(to: 2...4)) == [2, 2, 3, 4, 4, 4])
        #expect(try floats(grid[0].maximum(grid[1] - 3.5)) == [1, 2, 3])
        #expect(try floats(grid[0].minimum(grid[1] - 3.5)) == [0.5, 1.5, 2.5])
        #expect(abs(grid.exp().log().sum().item() - 21) < 1e-5)
        let infinite = try Tensor([1, .nan, .infinity] as [Float])
        #expect(try infinite.isFinite().array(of: Bool.self) == [true, false, false])
    }

    @Test func comparisonsAndChoice() throws {
        let big = grid.greater(than: 3)
        #expect(try big.array(of: Bool.self) == [false, false, false, true, true, true])
        #expect(try grid.equal(to: 2).array(of: Bool.self) == [false, true, false, false, false, false])
        #expect(try grid[0].less(than: grid[1]).array(of: Bool.self) == [true, true, true])
        #expect(try floats(grid.replaced(with: try .zeros([]), where: big)) == [1, 2, 3, 0, 0, 0])
    }

    @Test func shapeOperations() throws {
        #expect(grid.reshaped([3, -1]).shape == [3, 2])
        #expect(grid.unsqueezed(0).shape == [1, 2, 3] && grid.unsqueezed(0).squeezed(0).shape == [2, 3])
        #expect(grid.unsqueezed(0).expanded([4, 2, 3]).shape == [4, 2, 3])
        #expect(try floats(grid.permuted([1, 0])) == [1, 4, 2, 5, 3, 6])
        #expect(!grid.permuted([1, 0]).isContiguous && grid.permuted([1, 0]).contiguous().isContiguous)
        #expect(try floats(grid.flattened()) == [1, 2, 3, 4, 5, 6])
        #expect(try floats(grid.narrowed(1, to: 1..<3)) == [2, 3, 5, 6])
        #expect(try floats(grid[1..<2]) == [4, 5, 6])
        #expect(try floats(grid.selected(1, at: 2)) == [3, 6])
        #expect(try floats(.concatenated([grid, grid[0..<1]])) == [1, 2, 3, 4, 5, 6, 1, 2, 3])
        #expect(Tensor.stacked([grid, grid], along: 1).shape == [2, 2, 3])
    }

    @Test func rowsByIndexTensor() throws {
        let indices = try Tensor([1, 0, 1] as [Int])
        #expect(try floats(grid[indices]) == [4, 5, 6, 1, 2, 3, 4, 5, 6])
        #expect(try floats(grid.gathered(indices, along: 1)) == [2, 1, 2, 5, 4, 5])
    }

    @Test func functionsForPoliciesAndTargets() throws {
        let x = try Tensor([-100, -1, 0, 1, 100] as [Double])
        let softplus = try x.softplus().array(of: Double.self)
        let expected: [Double] = [0, log1p(exp(-1.0)), log(2.0), log1p(exp(1.0)), 100]
        for (value, expected) in zip(softplus, expected) {
            #expect(abs(value - expected) < 1e-12)
        }

        let scores = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        let chosen = scores.taken(at: try Tensor([2, 0] as [Int]).unsqueezed(1), along: 1)
        #expect(chosen.shape == [2, 1])
        #expect(try chosen.array(of: Float.self) == [3, 4])

        let target = try Tensor([0, 8] as [Float])
        let online = try Tensor([4, 0] as [Float])
        target.moveInPlace(towards: online, by: 0.25)
        #expect(try target.array(of: Float.self) == [1, 6])
        target.moveInPlace(towards: online, by: 1)
        #expect(try target.array(of: Float.self) == [4, 0])
    }

    @Test func reductions() throws {
        #expect(grid.sum().item() == 21 && grid.mean().item() == 3.5)
        #expect(grid.max().item() == 6 && grid.min().item() == 1)
        #expect(abs(grid.norm().item() - 91.0.squareRoot()) < 1e-6)
        #expect(try floats(grid.sum(along: 0)) == [5, 7, 9])
        #expect(grid.mean(along: 1, keep: true).shape == [2, 1])
        #expect(try floats(grid.max(along: 1)) == [3, 6] && floats(grid.min(along: 0)) == [1, 2, 3])
        #expect(try floats(grid.norm(along: 0).squared().sum()) == [91])
        #expect(try floats(grid.variance(along: 1)) == [1, 1])
        #expect(abs(try floats(grid.variance(along: 1, unbiased: false))[0] - 2 / 3) < 1e-6)
        #expect(try grid.argmax(along: 1).array(of: Int.self) == [2, 2])
        #expect(abs(grid.softmax().sum().item() - 2) < 1e-6)
        #expect(abs(grid.logSoftmax().exp().sum().item() - 2) < 1e-6)
        #expect(try Tensor([5] as [Int]).itemInteger() == 5)
        #expect(grid.countCorrect(try Tensor([2, 1] as [Int])) == 1)
    }

    @Test func randomFillsDependOnTheSeedAlone() throws {
        let first = try Tensor.normal([1000], mean: 3, deviation: 2, seed: 7)
        #expect(try floats(first) == floats(.normal([1000], mean: 3, deviation: 2, seed: 7)))
        #expect(try floats(first) != floats(.normal([1000], mean: 3, deviation: 2, seed: 8)))
        // Bounds of more than 5 standard errors.
        #expect(abs(first.mean().item() - 3) < 0.35)
        #expect(abs(first.variance(along: 0).item() - 4) < 1)
        let even = try Tensor.uniform([1000], low: -1, high: 3, seed: 7)
        #expect(even.min().item() >= -1 && even.max().item() < 3 && abs(even.mean().item() - 1) < 0.2)
        #expect(try floats(even) == floats(.uniform([1000], low: -1, high: 3, seed: 7)))
    }
}
