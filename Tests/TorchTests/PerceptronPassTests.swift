import TestSupport
import Testing
import Torch

/// The loss and gradient of a perceptron without a graph, against the graph's.
@Suite struct PerceptronPassTests {
    /// Weights of which the last are small: scores near each other.
    private static func weights(_ sizes: [Int], seed: UInt64) throws -> [Tensor] {
        var weights: [Tensor] = []
        for layer in 1..<sizes.count {
            let (inputs, outputs) = (sizes[layer - 1], sizes[layer])
            let deviation: Double = (layer == sizes.count - 1 ? 0.25 : 1) / Double(inputs).squareRoot()
            let own = seed &+ UInt64(2 * layer)
            weights.append(try .normal([outputs, inputs], deviation: deviation, seed: own))
            weights.append(try .normal([outputs], deviation: 0.3, seed: own &+ 1))
        }
        for weight in weights { weight.requiringGradient() }
        return weights
    }

    private static func largest(_ tensor: Tensor) -> Double { tensor.absolute().max().item() }

    private static let sizes = [[64, 64, 10], [5, 3], [3, 24, 16, 2], [123, 17, 5, 9, 4]]

    /// Batches of several sizes in turn, since memory is kept from one to the next. What a sum of examples rounds to is measured
    /// by the batch's largest slope, since a weight's own may cancel; and scores are near each other, since p − 1 cancels where
    /// an example is sure. The seed is one seed, since now and then a new one has a unit at ReLU's kink, where
    /// rounding decides between two slopes.
    @Test(arguments: sizes, [Tensor.PerceptronActivation.relu, .tanh])
    func itIsTheGraph(_ sizes: [Int], _ activation: Tensor.PerceptronActivation) throws {
        let seed = SeededGenerator(otherwise: 1).seed
        let weights = try Self.weights(sizes, seed: seed)
        let pass = try PerceptronPass(weights, activation)
        let outputs = sizes.last!
        for (turn, rows) in [32, 1, 7, 32].enumerated() {
            let x = try Tensor.normal([rows, sizes[0]], seed: seed &+ 50 &+ UInt64(turn))
            let labels: [Int64] = (0..<rows).map { Int64(($0 * 7 + turn) % outputs) }
            let classes = try Tensor(labels, shape: [rows])
            let numbers = try Tensor.normal([rows, outputs], seed: seed &+ 90 &+ UInt64(turn))
            for loss in [PerceptronPass.Loss.crossEntropy, .squaredError(factor: 2.5)] {
                for tensor in weights { tensor.zeroGradient() }
                let y = x.perceptron(TensorList(weights), activation)
                let (expected, targets) =
                    loss == .crossEntropy
                    ? (y.crossEntropy(classes), classes) : (y.meanSquaredError(numbers) * 2.5, numbers)
                try expected.backward()
                let found = try pass.meanLoss(x, targets, loss)
                #expect(abs(found - expected.item()) < 2e-6 * max(1, expected.item()), "seed \(seed)")
                let slopes = try weights.map { try #require($0.gradient) }
                let scale = slopes.map(Self.largest).max()!
                for (own, slope) in zip(pass.gradients, slopes) {
                    #expect(Self.largest(own - slope) < 2e-6 * scale, "\(loss), seed \(seed)")
                }
            }
        }
    }

    /// Scores far apart have a loss, images are flattened, and weights are read where they are.
    @Test func largeScoresAndImages() throws {
        let weights = try Self.weights([4, 3], seed: 3)
        let pass = try PerceptronPass(weights, .relu)
        let image = try Tensor([1, -2, 0.5, 3] as [Float], shape: [1, 1, 2, 2])
        let target = try Tensor([2] as [Int64], shape: [1])
        for scale in [1.0, 1e3, 1e6] {
            weights[0].withUnsafeMutableBytes { bytes in
                let w = bytes.bindMemory(to: Float.self)
                for i in w.indices {
                    let step: Int = (i * 5) % 7 - 3
                    w[i] = Float(scale) * Float(step)
                }
            }
            let y = image.flattened(from: 1).linear(weights[0], weights[1])
            let expected = y.crossEntropy(target).item()
            let found = try pass.meanLoss(image, target, .crossEntropy)
            #expect(found.isFinite && abs(found - expected) <= 1e-6 * max(1, expected), "\(scale)")
        }
    }

    @Test func whatIsNoNumberStaysNone() throws {
        let weights = try Self.weights([3, 4, 2], seed: 5)
        let pass = try PerceptronPass(weights, .relu)
        let target = try Tensor([0, 1] as [Int64], shape: [2])
        for bad in [Float.nan, .infinity, -.infinity] {
            let x = try Tensor([1, bad, 2, 0.1, 0.2, 0.3], shape: [2, 3])
            let graph = x.perceptron(TensorList(weights), .relu).crossEntropy(target).item()
            let found = try pass.meanLoss(x, target, .crossEntropy)
            #expect(graph.isFinite == found.isFinite, "\(bad): \(found), \(graph)")
            // max(−∞, 0) is a number.
            guard bad.isNaN else { continue }
            #expect(!found.isFinite)
            let slopes = try pass.gradients[0].array(of: Float.self)
            #expect(slopes.contains { !$0.isFinite }, "\(bad)")
        }
    }

    @Test func otherShapesAndTypesAreRefused() throws {
        let weights = try Self.weights([3, 4, 2], seed: 5)
        #expect(throws: TorchError.self) {
            _ = try PerceptronPass([weights[2], weights[3], weights[0], weights[1]], .relu)
        }
        #expect(throws: TorchError.self) {
            _ = try PerceptronPass([.zeros([2, 3], dtype: .float64), .zeros([2], dtype: .float64)], .relu)
        }
        let pass = try PerceptronPass(weights, .relu)
        let x = try Tensor.zeros([2, 3])
        let good = try Tensor([0, 1] as [Int64], shape: [2])
        #expect(throws: TorchError.self) { try pass.meanLoss(.zeros([2, 4]), good, .crossEntropy) }
        #expect(throws: TorchError.self) {
            try pass.meanLoss(.zeros([2, 3], dtype: .float64), good, .crossEntropy)
        }
        #expect(throws: TorchError.self) { try pass.meanLoss(x, .zeros([2, 2]), .crossEntropy) }
        #expect(throws: TorchError.self) {
            try pass.meanLoss(x, Tensor([0, 2] as [Int64], shape: [2]), .crossEntropy)
        }
        #expect(throws: TorchError.self) { try pass.meanLoss(x, good, .squaredError(factor: 1)) }
        #expect(try pass.meanLoss(x, good, .crossEntropy).isFinite)
    }
}
