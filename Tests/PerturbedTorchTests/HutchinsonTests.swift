import PerturbedEquations
import PerturbedTorch
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// The Hessian's diagonal through two backward passes, against closed forms.
@Suite struct HutchinsonTests {
    static func parameter(_ values: [Float], _ shape: [Int]) throws -> Tensor {
        try Tensor(values, shape: shape).requiringGradient()
    }

    static func estimate(
        _ parameters: [NamedTensor], _ settings: HessianEstimate, steps: Int = 1, loss: () throws -> Tensor
    ) throws -> [[Float]] {
        let hutchinson = try HutchinsonDiagonal(parameters, settings, seed: 5)
        for step in 0..<steps {
            try hutchinson.add(loss(), step: step)
            hutchinson.finish()
        }
        #expect(hutchinson.isKnown)
        return try hutchinson.diagonal.map { try $0.array(of: Float.self) }
    }

    /// L = Σ dᵢxᵢ²/2 + Σ y⁴: the Hessian is diagonal, d and 12y², and one probe is exact.
    @Test func aDiagonalHessianIsExact() throws {
        let d: [Float] = [1, -2, 0.5, 0]
        let x = try Self.parameter([3, 1, 4, 1], [4])
        let y = try Self.parameter([1, -2, 3, 0.5, 0, 1], [2, 3])
        let weights = try Tensor(d, shape: [4])
        let h = try Self.estimate(
            [.init("x", x), .init("y", y)], HessianEstimate(probes: 1, average: 0), steps: 3
        ) { ((weights * x.squared()).sum() * 0.5) + y.power(4).sum() }
        #expect(h[0] == d)
        for (h, y) in zip(h[1], [1, -2, 3, 0.5, 0, 1] as [Float]) { #expect(abs(h - 12 * y * y) < 1e-4) }
        // It leaves no gradient behind.
        #expect(x.gradient == nil && y.gradient == nil)
    }

    /// L = ½xᵀAx: the mean over many probes is diag(A), with the variance of Hutchinson's: Σ of the squares off the
    /// diagonal of a row, per probe.
    @Test func aFullHessianInTheMean() throws {
        let a: [[Float]] = [[2, 1, 0.5], [1, 3, -1], [0.5, -1, 1]]
        let matrix = try Tensor(Array(a.joined()), shape: [3, 3])
        let x = try Self.parameter([1, 2, 3], [3, 1])
        let probes = 2000
        let h = try Self.estimate([.init("x", x)], HessianEstimate(probes: probes, average: 0)) {
            (x * matrix.matmul(x)).sum() * 0.5
        }
        for i in 0..<3 {
            let off = (0..<3).reduce(Float(0)) { $1 == i ? $0 : $0 + a[i][$1] * a[i][$1] }
            #expect(abs(h[0][i] - a[i][i]) < 5 * (off / Float(probes)).squareRoot())
        }
    }

    /// h ← β·h + (1 − β)·ĥ, the first whole; a loss without a second derivative has none.
    @Test func averages() throws {
        let x = try Self.parameter([1, 2], [2])
        let named = [NamedTensor("x", x)]
        let hutchinson = try HutchinsonDiagonal(named, HessianEstimate(every: 4, average: 0.75), seed: 1)
        #expect(hutchinson.isDue(at: 3))
        for (step, factor) in [(0, 4.0), (4, 8.0)] {
            // Two micro-batches, of a quarter and three quarters.
            try hutchinson.add(x.squared().sum() * factor, share: 0.25, step: step)
            try hutchinson.add(x.squared().sum() * 0, share: 0.75, step: step)
            hutchinson.finish()
        }
        #expect(hutchinson.isDue(at: 8) && !hutchinson.isDue(at: 9))
        let first: Float = 8 * 0.25
        let second: Float = 16 * 0.25
        #expect(
            try hutchinson.diagonal[0].array(of: Float.self)
                == [Float](repeating: 0.75 * first + 0.25 * second, count: 2))
        // Saved and read it goes on as it was; a file without it sets it back.
        let directory = try TemporaryDirectory()
        try SafetensorsFile.write(hutchinson.stateSources(), metadata: [:], to: directory.file("h"))
        try SafetensorsFile.write([], metadata: [:], to: directory.file("none"))
        let other = try HutchinsonDiagonal(named, hutchinson.settings, seed: 1)
        try other.loadState(from: SafetensorsFile(contentsOf: directory.file("h")))
        #expect(other.isKnown && !other.isDue(at: 9))
        #expect(
            try other.diagonal[0].array(of: Float.self) == hutchinson.diagonal[0].array(of: Float.self))
        try other.loadState(from: SafetensorsFile(contentsOf: directory.file("none")))
        #expect(try !other.isKnown && other.diagonal[0].array(of: Float.self) == [0, 0])
        let linear = try Self.estimate(named, HessianEstimate(average: 0)) { (x * 3).sum() }
        #expect(linear == [[0, 0]])
    }
}
