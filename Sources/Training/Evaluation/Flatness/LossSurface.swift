import Datasets
import Foundation
import PerturbedEquations
import Torch
import TorchNN

/// A loss L as a function of a model's weights θ, on fixed examples: its value, its gradient, and products with its
/// Hessian, near θ.
///
/// The model is in evaluation mode, so that L is a function of θ alone: no dropout, and batch normalisation by its running
/// statistics. The examples come in parts, one after the other, so that memory is that of one part. A stop that was asked
/// for ends any of it between two parts.
public struct LossSurface {
    /// A part's mean loss, with its graph, and its share of the whole.
    public typealias Part = (loss: Tensor, share: Double)

    /// θ
    public let parameters: [NamedTensor]
    private let count: Int
    private let part: (Int) throws -> Part

    /// L = Σ share·loss over `count` parts.
    public init(parameters: [NamedTensor], parts count: Int, _ part: @escaping (Int) throws -> Part) {
        self.parameters = parameters
        self.count = count
        self.part = part
    }

    /// The loss of a plan's model on some of its training data, as they are: without augmentation, noise or label
    /// smoothing, but with the labels that it was trained on where wrong ones stay.
    ///
    /// - Parameters:
    ///   - positions: the examples.
    ///   - batch: examples of one part.
    ///   - step: logical steps that were taken.
    /// - Throws: `ConfigurationError` for a schedule that leaves its range.
    public init(_ plan: TrainingPlan, positions: [Int], batch size: Int, step: Int) throws {
        let (model, split) = (plan.model, plan.data.train)
        let loader = BatchLoader(split, of: plan.data.kind)
        let batches = Batches(indices: positions, size: size)
        let targets = Double(split.targetCount(of: positions[...]))
        let labels = try FixedLabels(plan, step: step)
        let loss: Loss =
            switch plan.loss {
            case .crossEntropy: .crossEntropy()
            case let other: other
            }
        let device = model.parameters.first?.tensor.device ?? .cpu
        self.init(parameters: model.parameters, parts: batches.count) { number in
            let positions = batches[number]
            var batch = try loader.load(positions)
            if let labels {
                let given = labels.labels(try batch.targets.array(of: Int64.self), of: positions)
                batch.targets = try Tensor(given, shape: batch.targets.shape)
            }
            batch = batch.moved(to: device)
            let scores = model.forward(batch.inputs, .evaluation)
            return (loss(scores, batch.targets), Double(split.targetCount(of: positions)) / targets)
        }
    }

    private func forEachPart(_ body: (Part) throws -> Void) throws {
        for number in 0..<count {
            try Interruption.check()
            let part = try part(number)
            try Libtorch.checkHeldFailure()
            try body(part)
            try Libtorch.checkHeldFailure()
        }
    }

    /// L(θ)
    public func loss() throws -> Double {
        var sum = 0.0
        try withoutGradients { () throws in
            try forEachPart { sum += $0.loss.item() * $0.share }
        }
        return sum
    }

    /// ∇L(θ), and L(θ).
    public func gradient() throws -> (gradient: ParameterVector, loss: Double) {
        let total = try ParameterVector.zeros(like: parameters)
        let tensors = parameters.map(\.tensor)
        var sum = 0.0
        try forEachPart { part in
            sum += part.loss.item() * part.share
            let found = try Tensor.gradients(of: [part.loss], at: tensors)
            for (own, gradient) in zip(total.parts, found) {
                if let gradient { own.addInPlace(gradient, scale: part.share) }
            }
        }
        return (total, sum)
    }

    /// ∇²L(θ)·v: a backward pass through the backward pass.
    ///
    /// - Throws: `TorchError` also where an operation of the model has no second derivative.
    public func hessianProduct(_ v: ParameterVector) throws -> ParameterVector {
        let total = try ParameterVector.zeros(like: parameters)
        let tensors = parameters.map(\.tensor)
        try withSecondDerivatives { () throws in
            try addProducts(to: total, v, tensors)
        }
        return total
    }

    private func addProducts(to total: ParameterVector, _ v: ParameterVector, _ tensors: [Tensor]) throws {
        try forEachPart { part in
            let first = try Tensor.gradients(of: [part.loss], at: tensors, differentiable: true)
            var (outputs, weights): ([Tensor], [Tensor]) = ([], [])
            for (gradient, weight) in zip(first, v.parts) {
                // A gradient that depends on no parameter (of a linear loss) has no second derivative.
                guard let gradient, gradient.requiresGradient else { continue }
                outputs.append(gradient)
                weights.append(weight)
            }
            guard !outputs.isEmpty else { return }
            let second = try Tensor.gradients(of: outputs, weights: weights, at: tensors)
            for (own, product) in zip(total.parts, second) {
                if let product { own.addInPlace(product, scale: part.share) }
            }
        }
    }

    /// Runs `body` with θ + Σ factor·direction in the model. θ comes back from a copy, to the bit, whatever happens.
    public func displaced<Result>(
        by moves: [(direction: ParameterVector, factor: Double)], _ body: () throws -> Result
    ) throws -> Result {
        let own = parameters.map { $0.tensor.detached() }
        let copies = own.map { $0.cloned() }
        try Libtorch.checkHeldFailure()
        defer { for (tensor, copy) in zip(own, copies) { tensor.copy(from: copy) } }
        for move in moves {
            for (tensor, part) in zip(own, move.direction.parts) {
                tensor.addInPlace(part, scale: move.factor)
            }
        }
        return try body()
    }
}
