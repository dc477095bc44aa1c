import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Curvature, sharpness and slices of losses whose own are known.
@Suite struct FlatnessTests {
    private static let key = NoiseKey(seed: 21)

    private static func parameters(_ values: [Float]) throws -> [NamedTensor] {
        // Two tensors, one of them a matrix of two filters where there is enough.
        let matrix = values.count / 2 / 2 * 2
        return [
            NamedTensor(
                "w", try Tensor(Array(values[..<matrix]), shape: [2, matrix / 2]).requiringGradient()),
            NamedTensor("b", try Tensor(Array(values[matrix...])).requiringGradient()),
        ]
    }

    /// L = ½ Σ dᵢθᵢ² + Σ aᵢθᵢ, in two parts of a third and two thirds.
    private static func quadratic(
        _ d: [Float], linear a: [Float]? = nil, at theta: [Float]
    ) throws -> LossSurface {
        let parameters = try parameters(theta)
        let diagonal = try Self.parameters(d).map { $0.tensor.detached() }
        let slope = try Self.parameters(a ?? [Float](repeating: 0, count: d.count)).map {
            $0.tensor.detached()
        }
        return LossSurface(parameters: parameters, parts: 2) { part in
            var loss = try Tensor.zeros([1]).sum()
            for (index, named) in parameters.enumerated() {
                loss =
                    loss + (named.tensor.squared() * diagonal[index]).sum() * 0.5
                    + (named.tensor * slope[index]).sum()
            }
            return (loss, part == 0 ? 1.0 / 3 : 2.0 / 3)
        }
    }

    // MARK: The Hessian

    @Test(
        arguments: [
            ([3, 1, 0.5, -1, 0, 0.2], 3, nil), ([1, -5, 2, 0, 0, 0.5], 2, -5),
            ([-1, -2, -4, -3, -0.5, -1], -0.5, -4),
        ] as [([Float], Double, Double?)])
    func topEigenvalueOfAQuadratic(d: [Float], top: Double, lowest: Double?) throws {
        let surface = try Self.quadratic(d, at: [1, 2, 3, 4, 5, 6])
        let found = try TopEigenvalue.measure(surface, tolerance: 1e-3, limit: 2000, key: Self.key)
        #expect(found.isConverged && abs(found.value - top) <= found.residual + 1e-5, "\(found)")
        #expect(found.residual <= 1e-3 * Double(d.map(abs).max()!) * 2, "\(found)")
        if let lowest {
            #expect(abs(try #require(found.lowest) - lowest) < 0.01, "\(found)")
        } else {
            #expect(found.lowest == nil)
        }
        #expect(try TopEigenvalue.measure(surface, tolerance: 1e-3, limit: 2000, key: Self.key) == found)
        let cut = try TopEigenvalue.measure(surface, tolerance: 1e-9, limit: 1, key: Self.key)
        #expect(!cut.isConverged && cut.iterations == (cut.lowest == nil ? 1 : 2))
    }

    @Test func traceOfADiagonalHessianIsExact() throws {
        let surface = try Self.quadratic([1, -5, 2, 0.25, 0, 0.5], at: [1, 2, 3, 4, 5, 6])
        let found = try HessianTrace.measure(surface, probes: 3, key: Self.key)
        #expect(abs(found.value + 1.25) < 1e-5 && found.standardError! < 1e-6 && found.probes == 3)
        #expect(try HessianTrace.measure(surface, probes: 1, key: Self.key).standardError == nil)
    }

    /// A linear loss has a Hessian of zeros.
    @Test func aLinearLossIsFlat() throws {
        let a: [Float] = [3, 0, 4, 0, 0, 0]
        let surface = try Self.quadratic([Float](repeating: 0, count: 6), linear: a, at: [1, 1, 1, 1, 1, 1])
        let top = try TopEigenvalue.measure(surface, key: Self.key)
        #expect(top.value == 0 && top.isConverged && top.iterations == 1 && top.lowest == nil)
        #expect(try HessianTrace.measure(surface, key: Self.key).value == 0)
        // ‖a‖ = 5; every step leads to the same place.
        let found = try Sharpness.measure(surface, rho: 0.2, steps: 4, key: Self.key)
        #expect(abs(found.oneStep - 1) < 1e-5 && abs(found.ascent - 1) < 1e-5, "\(found)")
    }

    /// A linear model under the squared error: H = (2/n)·Σ [x; 1][x; 1]ᵀ, here diagonal with 8, 2 and 2.
    @Test func aLinearModel() throws {
        let x: [Float] = [2, 1, 2, -1, -2, 1, -2, -1]
        let split = try DataSplit(features: x, numbers: [1, 2, -3, 0.5], exampleSize: 2, named: "corners")
        let kind = ExampleKind.numbers([2], predicting: TargetScale())
        let data = Dataset(name: "corners", kind: kind, classNames: [], train: split, test: split)
        let model = try MLP(hidden: []).build(for: kind, seed: 1)
        let surface = try LossSurface(
            EvaluationCases.plan(model, data), positions: [0, 1, 2, 3], batch: 3, step: 0)
        let top = try TopEigenvalue.measure(surface, tolerance: 1e-4, key: Self.key)
        #expect(abs(top.value - 8) < 1e-3 && top.lowest == nil, "\(top)")
        let trace = try HessianTrace.measure(surface, probes: 4, key: Self.key)
        #expect(abs(trace.value - 12) < 1e-4 && trace.standardError! < 1e-4, "\(trace)")
        let loss = try Evaluation.measure(model, on: split, of: kind).loss
        #expect(try abs(surface.loss() - loss) < 1e-6 && abs(surface.gradient().loss - loss) < 1e-6)
    }

    // MARK: Sharpness and slices

    /// At a minimum SAM's step, repeated, is power iteration: ½ρ²·(largest eigenvalue).
    @Test func sharpnessAtAMinimum() throws {
        let zero = [Float](repeating: 0, count: 6)
        let surface = try Self.quadratic([4, 1, 0.5, 1, 0, 0.2], at: zero)
        let found = try Sharpness.measure(surface, rho: 0.5, steps: 30, key: Self.key)
        #expect(
            abs(found.ascent - 0.5) < 1e-4 && found.oneStep <= found.ascent && found.oneStep >= 0, "\(found)")
        // On top of a hill nothing is higher.
        let hill = try Self.quadratic([-1, -1, -1, -1, -1, -1], at: zero)
        let none = try Sharpness.measure(hill, rho: 0.5, steps: 3, key: Self.key)
        #expect(none.ascent == 0 && abs(none.oneStep + 0.125) < 1e-5, "\(none)")
    }

    /// A gradient so small that the radius over its norm is no float32 is as good as 0.
    @Test func sharpnessWhereTheGradientVanishes() throws {
        let zero = [Float](repeating: 0, count: 6)
        let slope = [Float](repeating: 1e-36, count: 6)
        let flat = try Self.quadratic(zero, linear: slope, at: zero)
        let found = try Sharpness.measure(flat, rho: 1000, steps: 3, key: Self.key)
        #expect(found.ascent.isFinite && found.ascent < 1e-30, "\(found)")
    }

    /// The highest of all steps counts, and a loss that is no number is beyond all numbers.
    @Test func sharpnessIsTheHighest() throws {
        let parameters = try Self.parameters([1, 1, 1, 1])
        func surface(_ losses: [Double]) -> LossSurface {
            var calls = 0
            return LossSurface(parameters: parameters, parts: 1) { _ in
                defer { calls += 1 }
                let sum = parameters[0].tensor.sum() + parameters[1].tensor.sum()
                return (sum * 0 + sum - sum.detached() + losses[calls], 1)
            }
        }
        let found = try Sharpness.measure(surface([1, 2, 5, 3]), rho: 0.1, steps: 3, key: Self.key)
        #expect(found.oneStep == 1 && found.ascent == 4)
        let broken = try Sharpness.measure(surface([1, 2, .nan, 3]), rho: 0.1, steps: 3, key: Self.key)
        #expect(broken.oneStep == 1 && broken.ascent.isNaN)
    }

    @Test(arguments: SliceDirection.allCases) func slicesOfAQuadratic(direction: SliceDirection) throws {
        let (d, theta) = ([3, 1, 0.5, -1, 0, 0.2] as [Float], [1, -2, 3, 4, 5, -6] as [Float])
        let surface = try Self.quadratic(d, at: theta)
        let found = try LossSlice.measure(surface, direction, points: 5, span: 2, key: Self.key)
        #expect(found.positions == [-2, -1, 0, 1, 2])
        let move = try direction.vector(at: surface.parameters, key: Self.key)
        let other = try direction.vector(at: surface.parameters, key: Self.key, draw: 1)
        let (a, b) = (
            try move.parts.flatMap { try $0.array(of: Float.self) },
            try other.parts.flatMap { try $0.array(of: Float.self) }
        )
        func loss(_ alpha: Double, _ beta: Double) -> Double {
            d.indices.reduce(0) { sum, i in
                let x = Double(theta[i]) + alpha * Double(a[i]) + beta * Double(b[i])
                return sum + 0.5 * Double(d[i]) * x * x
            }
        }
        for (position, own) in zip(found.positions, found.losses) {
            #expect(abs(own - loss(position, 0)) < 1e-4 * max(1, abs(own)))
        }
        #expect(found.losses[2] == (try surface.loss()))
        let grid = try LossGrid.measure(surface, direction, points: 3, span: 1, key: Self.key)
        for (row, alpha) in grid.positions.enumerated() {
            for (column, beta) in grid.positions.enumerated() {
                #expect(abs(grid.losses[row][column] - loss(alpha, beta)) < 1e-3)
            }
        }
        // Moves are as large as what they move.
        func norm(_ values: some Sequence<Float>) -> Double {
            values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        switch direction {
        case .random: #expect(abs(norm(a) - norm(theta)) < 1e-4)
        case .filterNormalised:
            // θ has the matrix [[1], [−2]] and the vector of the rest, which stays.
            #expect(abs(abs(a[0]) - 1) < 1e-5 && abs(abs(a[1]) - 2) < 1e-5)
            #expect(a[2...].allSatisfy { $0 == 0 })
        }
    }

    // MARK: Networks

    static let networks = ["mlp", "batchNorm", "cnn", "vit", "gpt", "lstm", "gru"]

    private static func surface(_ name: String, _ random: inout SeededGenerator) throws -> LossSurface {
        let images = try DatasetCatalogue.load("digits")
        let tokens = try EvaluationCases.sequences(8, length: 6, vocabulary: 7, &random)
        let model: any ModelArchitecture =
            switch name {
            case "mlp": MLP(hidden: [8, 6], activation: .tanh)
            case "batchNorm": MLP(hidden: [8], activation: .gelu, batchNorm: true)
            case "cnn": CNN(channels: [4], hidden: 8, activation: .silu)
            case "vit": ViT(patch: 4, width: 8, layers: 2, heads: 2, hidden: 12)
            case "gpt": GPT(layers: 2, heads: 2, width: 8)
            case "lstm": LSTM(RecurrentSettings(width: 5, hidden: 6, layers: 2))
            default: GRU(RecurrentSettings(width: 5, hidden: 6, layers: 2))
            }
        let data = ["gpt", "lstm", "gru"].contains(name) ? tokens : images
        let built = try model.build(for: data.kind, seed: 3)
        // Away from where biases are 0, scores even and embeddings tiny.
        for (index, named) in built.parameters.enumerated() {
            let noise = try Tensor.normal(named.tensor.shape, mean: 0, deviation: 0.2, seed: UInt64(index))
            named.tensor.detached().addInPlace(noise)
        }
        return try LossSurface(
            EvaluationCases.plan(built, data), positions: Array(0..<8), batch: 5, step: 0)
    }

    /// H·v is what the gradient changes by along v, and H is symmetric.
    @Test(arguments: networks) func hessianProducts(name: String) throws {
        var random = SeededGenerator(otherwise: 9)
        let surface = try Self.surface(name, &random)
        let before = try EvaluationCases.weights(surface.parameters)
        func direction(_ draw: Int) throws -> ParameterVector {
            let v = try ParameterVector.random(like: surface.parameters, .normal, key: Self.key, draw: draw)
            return v.scaled(by: 1 / v.norm)
        }
        let (v, u) = (try direction(0), try direction(1))
        let product = try surface.hessianProduct(v)
        let h = 0.01
        let ahead = try surface.displaced(by: [(v, h)]) { try surface.gradient().gradient }
        let behind = try surface.displaced(by: [(v, -h)]) { try surface.gradient().gradient }
        let difference = ahead.adding(behind, times: -1).scaled(by: 1 / (2 * h))
        let error = product.adding(difference, times: -1).norm
        #expect(
            product.norm > 1e-4 && error < 0.03 * product.norm,
            "\(name): ‖Hv‖ = \(product.norm), off by \(error)")
        let (uHv, vHu) = (u.dot(product), v.dot(try surface.hessianProduct(u)))
        #expect(abs(uHv - vHu) < 1e-4 * product.norm, "\(name): \(uHv), \(vHu)")
        #expect(try EvaluationCases.weights(surface.parameters) == before)
    }

    /// The same bits again, and the loss, gradient and weights are as they were.
    @Test(arguments: ["batchNorm", "vit", "lstm"]) func measuringTwiceGivesTheSameBits(name: String) throws {
        var random = SeededGenerator(otherwise: 9)
        let surface = try Self.surface(name, &random)
        let before = try EvaluationCases.weights(surface.parameters)
        func all() throws -> [String] {
            [
                "\(try TopEigenvalue.measure(surface, limit: 3, key: Self.key))",
                "\(try HessianTrace.measure(surface, probes: 2, key: Self.key))",
                "\(try Sharpness.measure(surface, rho: 0.1, steps: 3, key: Self.key))",
                "\(try LossGrid.measure(surface, .filterNormalised, points: 3, key: Self.key))",
                "\(try surface.loss())",
            ]
        }
        #expect(try all() == all())
        #expect(try EvaluationCases.weights(surface.parameters) == before)
        #expect(surface.parameters.allSatisfy { $0.tensor.gradient == nil && $0.tensor.requiresGradient })
    }

    // MARK: Faults

    private struct Fault: Error {}

    /// Whatever ends a measure, θ is what it was, to the bit: also where adding and subtracting would lose it.
    @Test(arguments: 1..<6) func thetaComesBackAfterAFault(call: Int) throws {
        let theta: [Float] = [1e-30, -0.0, 1e30, 3, .leastNonzeroMagnitude, -7]
        let parameters = try Self.parameters(theta)
        var calls = 0
        let surface = LossSurface(parameters: parameters, parts: 1) { _ in
            calls += 1
            if calls == call { throw Fault() }
            return (parameters[0].tensor.tanh().sum() + parameters[1].tensor.tanh().sum(), 1)
        }
        func bits() throws -> [UInt32] { try EvaluationCases.weights(parameters).map(\.bitPattern) }
        let measures: [() throws -> Void] = [
            { _ = try Sharpness.measure(surface, rho: 5, steps: 6, key: Self.key) },
            { _ = try LossSlice.measure(surface, .random, points: 5, key: Self.key) },
            { _ = try LossGrid.measure(surface, .filterNormalised, points: 3, key: Self.key) },
        ]
        for measure in measures {
            calls = 0
            #expect(throws: Fault.self) { try measure() }
            #expect(try bits() == theta.map(\.bitPattern))
        }
        calls = call
        _ = try LossSlice.measure(surface, .random, points: 3, key: Self.key)
        #expect(try bits() == theta.map(\.bitPattern))
    }
}
