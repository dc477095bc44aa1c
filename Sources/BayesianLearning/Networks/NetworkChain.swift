import Datasets
import Foundation
import PerturbedEquations
import PerturbedTorch
import PosteriorSampling
import Torch
import TorchNN
import Training

/// A chain on the posterior of a network's weights: U(θ) = −Σ log p(yᵢ|xᵢ, θ) − log p(θ), a minibatch at a time.
///
/// The whole chain runs on one thread, libtorch's operations too, so that its bits do not depend on how many others move.
package final class NetworkChain: MarkovChain {
    package let model: any Module
    private let modelOptimizer: ModelOptimizer
    private let gradient: any NetworkGradient
    private let parameters: [Tensor]
    /// Of each parameter: it stays where it is as long as the parameter does.
    private let memory: [UnsafeMutableRawBufferPointer]
    private let likelihood: Likelihood
    private let prior: any Prior
    private let ruleHasPrior: Bool
    /// Whether a guard or a controller follows the loss.
    private let followsLoss: Bool
    private let scale: MinibatchScale
    private let data: Dataset
    private let loader: BatchLoader
    private let probes: Batch
    private let batchSize: Int
    private let key: NoiseKey
    private let dropoutKey: NoiseKey
    private var epoch = -1
    private var batches = Batches(indices: [], size: 1)

    package let functionNames: [String]
    package let optimizer: PerturbedOptimizer
    /// Whether U is computed without libtorch's graph: of multi-layer perceptrons of plain layers, at θ itself.
    package var isFused: Bool { gradient is PerceptronGradient }

    /// - Parameters:
    ///   - model: the chain's own.
    ///   - equation: as `PerturbedEquation.sampling(_:cycle:)` or a `PosteriorApproximation` gives it.
    ///   - ruleHasPrior: whether the rule adds the prior itself, so that the gradient has none.
    ///   - probes: how many test examples' predictions chains are compared by.
    /// - Throws: `ConfigurationError` for an equation that does not fit the model.
    package init(
        _ model: any Module, on data: Dataset, likelihood: Likelihood, prior: any Prior,
        equation: PerturbedEquation, ruleHasPrior: Bool = false, scale: MinibatchScale, batchSize: Int,
        probes: Int, key: NoiseKey, steps: Int
    ) throws {
        self.model = model
        self.data = data
        self.likelihood = likelihood
        self.prior = prior
        self.ruleHasPrior = ruleHasPrior
        self.scale = scale
        self.batchSize = batchSize
        self.key = key
        dropoutKey = key.derived("dropout")
        parameters = model.parameters.map(\.tensor)
        memory = parameters.map { $0.withUnsafeMutableBytes { $0 } }
        modelOptimizer = try ModelOptimizer(
            model, equation: equation, seed: key.seed, horizon: steps,
            stepsPerEpoch: max(1, data.train.count / batchSize), threads: 1)
        optimizer = modelOptimizer.core
        try optimizer.requireGradientsSuffice(of: "a chain")
        followsLoss = equation.stability.rollbackOnSpike != nil || !equation.controllers.isEmpty
        gradient =
            try PerceptronGradient(model, modelOptimizer, likelihood)
            ?? GraphGradient(model, modelOptimizer, likelihood)
        loader = BatchLoader(data.train, of: data.kind)
        let shown = min(probes, data.test.count)
        self.probes = try BatchLoader(data.test, of: data.kind).load(
            .init(Array(0..<shown)[...], step: 0, epoch: 0))
        functionNames = ["norm"] + (0..<shown).map { "probe[\($0)]" }
    }

    package func step(measuring: Bool) throws -> ChainStep {
        let step = optimizer.step
        let batch = try batch(at: step)
        guard !optimizer.needsObjective else {
            let context = ForwardContext(training: true, seed: dropoutKey.word(UInt64(step)))
            return try self.step(on: batch, context, measuring: measuring)
        }
        let mean = try gradient.evaluate(
            batch, dropout: { dropoutKey.word(UInt64(step)) }, measuring: measuring || followsLoss)
        try gradient.withGradients(addPrior)
        let energy =
            measuring
            ? mean.map { scale.energy(meanLoss: $0 + likelihood.constant, prior: priorEnergy) } : nil
        let loss = followsLoss ? mean.map { $0 + priorLoss } : nil
        return ChainStep(energy: energy, outcome: try gradient.step(loss: loss).outcome)
    }

    /// A step of an equation that evaluates U elsewhere than at θ, perhaps more than once. What is told of U is that at θ.
    private func step(on batch: Batch, _ context: ForwardContext, measuring: Bool) throws -> ChainStep {
        let energy = measuring ? try energy(on: batch) : nil
        let report = try modelOptimizer.step { evaluation in
            let loss = likelihood.meanLoss(model.forward(batch.inputs, context), batch.targets)
            if evaluation.needsGradient {
                try loss.backward()
                try gradient.withGradients(addPrior)
            }
            let value = loss.item()
            try Libtorch.checkHeldFailure()
            return ruleHasPrior ? value : value + priorLoss
        }
        return ChainStep(energy: energy, outcome: report.outcome)
    }

    /// U at θ as it is, as the batch of a step estimates it.
    package func energy(withBatchOf step: Int) throws -> Double { try energy(on: try batch(at: step)) }

    private func energy(on batch: Batch) throws -> Double {
        let loss = withoutGradients {
            likelihood.meanLoss(model.forward(batch.inputs, .evaluation), batch.targets).item()
        }
        try Libtorch.checkHeldFailure()
        return scale.energy(meanLoss: loss + likelihood.constant, prior: priorEnergy)
    }

    private func batch(at step: Int) throws -> Batch {
        let perEpoch = data.train.count / batchSize
        if step / perEpoch != epoch {
            epoch = step / perEpoch
            batches = data.train.order(key: key, epoch: epoch).batches(of: batchSize, dropLast: true)
        }
        return try loader.load(.init(batches[step % perEpoch], step: step, epoch: epoch))
    }

    /// Adds the prior's share to every gradient, unless the rule does.
    private func addPrior(to gradients: [UnsafeMutableRawBufferPointer?]) throws {
        for (place, slope) in gradients.enumerated() {
            guard let slope else {
                throw ConfigurationError(
                    "has the weight \(optimizer.parameters[place].name), which the loss does not depend on: no step moves it, and "
                        + "its posterior is its prior; allowed: a model that uses all its weights",
                    path: "model")
            }
            if ruleHasPrior { continue }
            let theta = memory[place]
            if optimizer.parameters[place].scalar == .float64 {
                prior.addDerivative(
                    at: UnsafeBufferPointer(theta.bindMemory(to: Double.self)), share: scale.priorShare,
                    to: slope.bindMemory(to: Double.self))
            } else {
                prior.addDerivative(
                    at: UnsafeBufferPointer(theta.bindMemory(to: Float.self)), share: scale.priorShare,
                    to: slope.bindMemory(to: Float.self))
            }
        }
    }

    /// −log p(θ).
    private var priorEnergy: Double {
        total {
            self.prior.energy(of: $0)
        } of32: {
            self.prior.energy(of: $0)
        }
    }

    /// The prior's share of the mean loss above what it is at θ = 0, its mode: without the constant of the density, as the loss of
    /// the batch is, so that what follows the loss sees a number ≥ 0.
    private var priorLoss: Double {
        let weights = optimizer.parameters.reduce(0) { $0 + $1.count }
        return scale.priorShare * (priorEnergy - Double(weights) * prior.energy(0))
    }

    /// A sum over the parameters' elements, of float64 and float32.
    private func total(
        _ of64: (UnsafeBufferPointer<Double>) -> Double, of32: (UnsafeBufferPointer<Float>) -> Double
    ) -> Double {
        zip(optimizer.parameters, memory).reduce(0) { sum, parameter in
            sum
                + (parameter.0.scalar == .float64
                    ? of64(UnsafeBufferPointer(parameter.1.bindMemory(to: Double.self)))
                    : of32(UnsafeBufferPointer(parameter.1.bindMemory(to: Float.self))))
        }
    }

    /// ‖θ‖; and of each probe log p(y|x, θ) of its class, or its predicted number.
    package func functions() throws -> [Double] {
        let norm = total {
            sumOfSquares($0)
        } of32: {
            sumOfSquares($0)
        }.squareRoot()
        guard probes.count > 0 else { return [norm] }
        let output = withoutGradients { model.forward(probes.inputs, .evaluation) }.converted(to: .float64)
        try Libtorch.checkHeldFailure()
        let values = try output.contiguous().array(of: Double.self)
        let seen: [Double]
        switch likelihood {
        case .gaussian: seen = values
        case .categorical:
            let classes = data.kind.target.classes
            seen = try probes.targets.array(of: Int64.self).enumerated().map { example, label in
                let scores = values[(example * classes)..<((example + 1) * classes)]
                return scores[scores.startIndex + Int(label)] - logSumExp(scores)
            }
        }
        return [norm] + seen
    }

    package func withParameters<Result>(
        _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) throws -> Result {
        try withExtendedLifetime(parameters) { try body(memory) }
    }
}

/// log Σ exp(xᵢ), of large numbers too.
private func logSumExp(_ values: ArraySlice<Double>) -> Double {
    let largest = values.max() ?? 0
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
}
