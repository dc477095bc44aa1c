import TestSupport
import Testing
import Torch

/// Linear layers and activations in one operation against the same one by one.
@Suite struct PerceptronTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var sizes: [Int]
        var rows: Int
        var activation: Tensor.PerceptronActivation
        var testDescription: String { "\(sizes), \(rows) rows, \(activation)" }
    }

    static let cases = [
        Case(sizes: [3, 24, 16, 1], rows: 33, activation: .relu),
        Case(sizes: [4, 256, 256, 1], rows: 256, activation: .relu),
        Case(sizes: [5, 7], rows: 9, activation: .relu),
        Case(sizes: [4, 64, 64, 2], rows: 64, activation: .tanh),
        Case(sizes: [2, 17, 5, 9, 3], rows: 1, activation: .tanh),
    ]

    private static func weights(
        _ sizes: [Int], seed: UInt64, dtype: DType = .float32
    ) throws -> [Tensor] {
        try (1..<sizes.count).flatMap { layer in
            let scale = 1 / Double(sizes[layer - 1]).squareRoot()
            return try [[sizes[layer], sizes[layer - 1]], [sizes[layer]]].enumerated().map { place, shape in
                try Tensor.normal(
                    shape, deviation: place == 0 ? scale : 0.3,
                    seed: seed &+ UInt64(2 * layer + place), dtype: dtype
                ).requiringGradient()
            }
        }
    }

    private static func oneByOne(
        _ x: Tensor, _ weights: [Tensor], _ activation: Tensor.PerceptronActivation
    ) -> Tensor {
        var x = x
        for layer in 0..<weights.count / 2 {
            if layer > 0 { x = activation == .relu ? x.relu() : x.tanh() }
            x = x.linear(weights[2 * layer], weights[2 * layer + 1])
        }
        return x
    }

    /// The greatest difference, by the greatest number of `b`.
    private static func difference(_ a: Tensor, _ b: Tensor) -> Double {
        (a - b).absolute().max().item() / max(b.absolute().max().item(), 1e-12)
    }

    /// Values and all gradients; with weights that are frozen, and with rows that have no gradient.
    @Test(arguments: cases) func itIsTheSingleOperations(_ one: Case) throws {
        let seed = SeededGenerator().seed
        let weights = try Self.weights(one.sizes, seed: seed)
        let list = TensorList(weights)
        let x = try Tensor.normal([one.rows, one.sizes[0]], seed: seed).requiringGradient()
        let factors = try Tensor.normal([one.rows, one.sizes.last!], seed: seed &+ 99)
        let some = try Tensor((0..<one.rows).map { $0 % 3 == 0 ? 1 : 0 as Float }, shape: [one.rows, 1])

        func gradients(_ y: Tensor, by weight: Tensor) throws -> [Tensor?] {
            for tensor in weights + [x] { tensor.zeroGradient() }
            try (y * weight).sum().backward()
            return (weights + [x]).map(\.gradient)
        }
        for frozen in [false, true] {
            for tensor in weights { tensor.requiringGradient(!frozen) }
            for weight in [factors, factors * some, factors * 0] {
                let fused = x.perceptron(list, one.activation)
                let plain = Self.oneByOne(x, weights, one.activation)
                #expect(Self.difference(fused, plain) < 1e-6, "seed \(seed)")
                let (own, others) = try (gradients(fused, by: weight), gradients(plain, by: weight))
                for (place, (a, b)) in zip(own, others).enumerated() {
                    #expect((a == nil) == (b == nil), "\(place)")
                    guard let a, let b else { continue }
                    #expect(a.shape == b.shape && Self.difference(a, b) < 4e-6, "\(place), seed \(seed)")
                }
                #expect(own.count { $0 != nil } == (frozen ? 1 : weights.count + 1))
            }
        }
        withoutGradients {
            let fused = x.perceptron(list, one.activation)
            #expect(!fused.requiresGradient)
            #expect(Self.difference(fused, Self.oneByOne(x, weights, one.activation)) < 1e-6)
        }
    }

    /// What its loops cannot take is computed by the single operations.
    @Test func otherTypesAndSecondDerivatives() throws {
        let weights = try Self.weights([3, 8, 1], seed: 7, dtype: .float64)
        let list = TensorList(weights)
        let x = try Tensor.normal([5, 3], seed: 3, dtype: .float64)
        #expect(x.perceptron(list, .tanh).dtype == .float64)
        #expect(Self.difference(x.perceptron(list, .tanh), Self.oneByOne(x, weights, .tanh)) < 1e-12)

        let small = try Self.weights([3, 8, 1], seed: 7)
        let smallList = TensorList(small)
        let rows = x.converted(to: .float32)
        func twice(_ y: Tensor) throws -> Tensor {
            let first = try Tensor.gradients(of: [y.squared().sum()], at: [small[0]], differentiable: true)[
                0]!
            return try Tensor.gradients(of: [first.squared().sum()], at: [small[0]])[0]!
        }
        let (fused, plain) = try withSecondDerivatives {
            try (
                twice(rows.perceptron(smallList, .tanh)), twice(Self.oneByOne(rows, small, .tanh))
            )
        }
        #expect(Self.difference(fused, plain) < 1e-6 && plain.absolute().max().item() > 0)
        let error = #expect(throws: TorchError.self) { _ = try twice(rows.perceptron(smallList, .tanh)) }
        #expect("\(error as Any)".contains("a first derivative only"), "\(error as Any)")
    }

    /// NaN and ±∞ in an input are in the rows and the gradients where the single operations have them.
    @Test(arguments: [Tensor.PerceptronActivation.relu, .tanh])
    func inputsThatAreNotFinite(_ activation: Tensor.PerceptronActivation) throws {
        let weights = try Self.weights([3, 8, 2], seed: 7)
        let list = TensorList(weights)
        func finite(_ tensor: Tensor) throws -> [Bool] {
            try tensor.detached().contiguous().array(of: Float.self).map(\.isFinite)
        }
        for bad in [Float.nan, .infinity, -.infinity] {
            let x = try Tensor([0.1, 0.2, 0.3, 1, bad, 2, -1, 0, 1], shape: [3, 3]).requiringGradient()
            var seen: [[[Bool]]] = []
            for y in [x.perceptron(list, activation), Self.oneByOne(x, weights, activation)] {
                for tensor in weights + [x] { tensor.zeroGradient() }
                try y.squared().sum().backward()
                seen.append(try [finite(y)] + (weights + [x]).map { try finite(#require($0.gradient)) })
            }
            #expect(seen[0] == seen[1], "\(bad)")
            #expect(seen[0][0][..<2].allSatisfy { $0 }, "a bad row spoils no other")
            if bad.isNaN { #expect(!seen[0][0][2] && !seen[0][1].allSatisfy { $0 }) }
        }
    }

    /// Views that are no piece of memory: transposed, every second column, and a part.
    @Test func inputsThatAreNotContiguous() throws {
        let weights = try Self.weights([3, 8, 2], seed: 7)
        let list = TensorList(weights)
        let base = try Tensor.normal([6, 5], seed: 4)
        for x in [base.transposed(0, 1).narrowed(1, to: 0..<3), base.narrowed(1, to: 1..<4)] {
            let copy = x.contiguous()
            #expect(Self.difference(x.perceptron(list, .tanh), copy.perceptron(list, .tanh)) < 1e-6)
            var gradients: [[Tensor]] = []
            for input in [x, copy] {
                for tensor in weights { tensor.zeroGradient() }
                try input.perceptron(list, .tanh).squared().sum().backward()
                gradients.append(try weights.map { try #require($0.gradient).detached() })
            }
            for (a, b) in zip(gradients[0], gradients[1]) { #expect(Self.difference(a, b) < 2e-6) }
        }
    }

    @Test func aGraphIsUsedOnce() throws {
        let weights = try Self.weights([3, 8, 1], seed: 7)
        let y = try Tensor([1, 2, 3] as [Float], shape: [1, 3]).perceptron(TensorList(weights), .relu).sum()
        try y.backward()
        #expect(throws: TorchError.self) { try y.backward() }
    }
}
