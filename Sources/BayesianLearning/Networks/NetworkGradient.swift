import PerturbedEquations
import PerturbedTorch
import PosteriorSampling
import Torch
import TorchNN
import Training

/// Gives the mean loss of a batch and leaves its gradient by every parameter in memory.
protocol NetworkGradient {
    /// The mean of −log p(yᵢ|xᵢ, θ), without its constant; nil where it was not asked for and is not free.
    /// - Parameters:
    ///   - dropout: the seed of the step's dropout masks.
    ///   - measuring: whether the loss is asked for.
    func evaluate(_ batch: Batch, dropout: () -> UInt64, measuring: Bool) throws -> Double?
    /// The gradient of each parameter; nil where the loss does not depend on one.
    func withGradients<Result>(_ body: ([UnsafeMutableRawBufferPointer?]) throws -> Result) throws -> Result
    /// Takes a step with these gradients.
    /// - Parameter loss: of the batch, for guards and controllers that follow it; nil where there are none.
    func step(loss: Double?) throws -> StepReport
}

/// Any module, by libtorch's graph.
final class GraphGradient: NetworkGradient {
    private let model: any Module
    private let optimizer: ModelOptimizer
    private let parameters: [Tensor]
    private let likelihood: Likelihood

    init(_ model: any Module, _ optimizer: ModelOptimizer, _ likelihood: Likelihood) {
        self.model = model
        self.optimizer = optimizer
        self.likelihood = likelihood
        parameters = model.parameters.map(\.tensor)
    }

    func evaluate(_ batch: Batch, dropout: () -> UInt64, measuring: Bool) throws -> Double? {
        optimizer.zeroGradients()
        let context = ForwardContext(training: true, seed: dropout())
        let loss = likelihood.meanLoss(model.forward(batch.inputs, context), batch.targets)
        try loss.backward()
        let mean = measuring ? loss.item() : nil
        try Libtorch.checkHeldFailure()
        return mean
    }

    func withGradients<Result>(
        _ body: ([UnsafeMutableRawBufferPointer?]) throws -> Result
    ) throws -> Result {
        let gradients = parameters.map(\.gradient)
        return try withExtendedLifetime(gradients) {
            try body(gradients.map { $0?.withUnsafeMutableBytes { $0 } })
        }
    }

    func step(loss: Double?) throws -> StepReport { try optimizer.step(loss: loss) }
}

/// A multi-layer perceptron of plain layers, without a graph.
final class PerceptronGradient: NetworkGradient {
    private let pass: PerceptronPass
    private let loss: PerceptronPass.Loss
    private let optimizer: PerturbedOptimizer
    private let gradients: [UnsafeMutableRawBufferPointer?]
    private let buffers: [ParameterBuffer]

    /// nil for every other model, and for equations that evaluate U elsewhere than at θ: the choice depends on the configuration
    /// alone, so that it has the same bits wherever it runs.
    ///
    /// - Throws: `TorchError` where there is no memory.
    init?(_ model: any Module, _ optimizer: ModelOptimizer, _ likelihood: Likelihood) throws {
        guard !optimizer.core.needsObjective, let (weights, activation) = Self.plainLayers(of: model) else {
            return nil
        }
        pass = try PerceptronPass(weights, activation)
        loss =
            switch likelihood {
            case .categorical: .crossEntropy
            case .gaussian(let deviation): .squaredError(factor: 0.5 / (deviation * deviation))
            }
        self.optimizer = optimizer.core
        let memory = pass.gradients.map { $0.withUnsafeMutableBytes { $0 } }
        gradients = memory
        buffers = zip(weights, memory).map { weight, gradient in
            ParameterBuffer(
                parameters: weight.withUnsafeMutableBytes { $0.baseAddress! },
                gradient: UnsafeRawPointer(gradient.baseAddress!))
        }
    }

    /// W and b of each layer in the order of the model's parameters, where the model is `Sequential` of `Flatten` and float32
    /// `Linear` layers with bias and relu or tanh, always the same, between each two; else nil.
    private static func plainLayers(
        of model: any Module
    ) -> (weights: [Tensor], activation: Tensor.PerceptronActivation)? {
        guard let layers = (model as? Sequential)?.modules, let last = layers.last, last is Linear else {
            return nil
        }
        var (weights, found, follows): ([Tensor], Activation?, Bool) = ([], nil, false)
        for (place, layer) in layers.enumerated() {
            switch layer {
            case is Flatten where place == 0: continue
            case let linear as Linear where !follows:
                guard let bias = linear.bias,
                    [linear.weight, bias].allSatisfy({ $0.dtype == .float32 && $0.device == .cpu })
                else { return nil }
                weights += [linear.weight, bias]
                follows = true
            case let activation as Activation where follows && (found ?? activation) == activation:
                (found, follows) = (activation, false)
            default: return nil
            }
        }
        switch found {
        case .relu, nil: return (weights, .relu)
        case .tanh: return (weights, .tanh)
        case .gelu, .sigmoid, .silu: return nil
        }
    }

    func evaluate(_ batch: Batch, dropout _: () -> UInt64, measuring _: Bool) throws -> Double? {
        try pass.meanLoss(batch.inputs, batch.targets, loss)
    }

    func withGradients<Result>(
        _ body: ([UnsafeMutableRawBufferPointer?]) throws -> Result
    ) rethrows -> Result {
        try body(gradients)
    }

    func step(loss: Double?) throws -> StepReport { try optimizer.step(buffers, loss: loss) }
}
