import Datasets
import PerturbedEquations
import TorchNN

/// Times the pipeline's steps, as a run takes them: loading the batch, the five stages, reading the loss.
public final class TrainingBenchmark {
    private let step: TrainingStep
    private let loader: BatchLoader
    private let batches: [ArraySlice<Int>]
    private var next = 0

    /// One batch that is there already, whatever is asked for.
    private struct HeldBatch: BatchSource {
        let batch: Batch
        let targets: Int

        func targetCount(of _: ArraySlice<Int>) -> Int { targets }
        func load(_: BatchLoader.Request) -> Batch { batch }
    }

    private lazy var held = Result {
        HeldBatch(
            batch: try loader.load(.init(batches[0], step: 0, epoch: 0)),
            targets: loader.targetCount(of: batches[0]))
    }

    /// - Parameter plan: what to train; its evaluation and checkpoints are left out.
    /// - Throws: `ConfigurationError` for an equation that does not fit the model.
    public init(_ plan: TrainingPlan) throws {
        let noise = try plan.noise()
        step = plan.step(try plan.makeOptimizer(), noise)
        loader = BatchLoader(
            plan.data.train, of: plan.data.kind, noise: noise, inBackground: plan.settings.loadsInBackground)
        let count = plan.data.train.examplesPerEpoch
        batches = stride(from: 0, to: count, by: plan.settings.batchSize).map { start in
            ArraySlice(start..<min(start + plan.settings.batchSize, count))
        }
    }

    /// Seconds for `count` steps on batches that are loaded, as a run loads them.
    public func run(steps count: Int) throws -> Double {
        try time(count) {
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

    /// Seconds for `count` steps on one batch that lies in its tensors: the same without loading.
    public func runHeld(steps count: Int) throws -> Double {
        let held = try held.get()
        return try time(count) { _ = try step.take([batches[0]], from: held, epoch: 0, measure: false) }
    }

    /// Seconds for `count` updates alone, from the gradients that the last step has left; on a GPU with the copying.
    package func runUpdates(steps count: Int) throws -> Double {
        try time(count) { try step.optimizer.step() }
    }

    /// Seconds for the copying alone of `count` updates, which a model on a GPU needs.
    package func runCopies(steps count: Int) throws -> Double {
        try time(count) { try step.optimizer.copyBothWays() }
    }

    private func time(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure { for _ in 0..<count { try body() } } / .seconds(1)
    }
}
