import PerturbedEquations
import TorchNN

/// Times the pipeline's steps, as a run takes them: loading the batch, the five stages, reading the loss.
public final class TrainingBenchmark {
    private let step: TrainingStep
    private let loader: BatchLoader
    private let batches: [ArraySlice<Int>]
    private var next = 0

    /// - Parameter plan: what to train; its evaluation and checkpoints are left out.
    /// - Throws: `ConfigurationError` for an equation that does not fit the model.
    public init(_ plan: TrainingPlan) throws {
        let noise = try plan.noise()
        step = TrainingStep(
            model: plan.model, optimizer: try plan.makeOptimizer(), loss: .crossEntropy(labelSmoothing: 0),
            dropout: NoiseKey(seed: plan.settings.seed).derived("dropout"), buffers: BufferKeeper(plan.model),
            inputNoise: noise.inputs)
        loader = BatchLoader(plan.data.train, of: plan.data.kind, noise: noise)
        let count = plan.data.train.examplesPerEpoch
        batches = stride(from: 0, to: count, by: plan.settings.batchSize).map { start in
            ArraySlice(start..<min(start + plan.settings.batchSize, count))
        }
    }

    /// Seconds for `count` steps.
    public func run(steps count: Int) throws -> Double {
        let elapsed = try ContinuousClock().measure {
            for _ in 0..<count {
                let following = (next + 1) % batches.count
                let number = step.optimizer.core.step
                try loader.expect([
                    .init(batches[next], step: number, epoch: 0),
                    .init(batches[following], step: number + 1, epoch: 0),
                ])
                _ = try step.take([batches[next]], from: loader, epoch: 0, measure: false)
                next = following
            }
        }
        return elapsed / .seconds(1)
    }
}
