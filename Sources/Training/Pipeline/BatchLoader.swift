import Datasets
import Torch

/// Examples as tensors: the model's input [n, …], and the int64 targets [n] or [n, length].
struct Batch {
    var inputs: Tensor
    var targets: Tensor
    /// Examples.
    var count: Int
}

/// Fills tensors with examples, the same tensors again for batches of the same size.
final class BatchLoader {
    private let split: DataSplit
    private let kind: ExampleKind
    private let noise: BatchNoise?
    private var made: [Int: Batch] = [:]

    /// - Parameters:
    ///   - kind: of the examples.
    ///   - noise: what training adds to the examples.
    init(_ split: DataSplit, of kind: ExampleKind, noise: BatchNoise? = nil) {
        self.split = split
        self.kind = kind
        self.noise = noise
    }

    /// How many targets of some examples are asked for: a loss is a mean over them.
    func targetCount(of positions: ArraySlice<Int>) -> Int { split.targetCount(of: positions) }

    /// The examples at `positions`, with the noise of a training step where one is named. The batch is valid until the
    /// next call.
    /// - Throws: `TorchError` where there is no memory for it.
    func load(_ positions: ArraySlice<Int>, step: Int? = nil) throws -> Batch {
        let batch = try made[positions.count] ?? make(positions.count)
        batch.inputs.withUnsafeMutableBytes { inputs in
            batch.targets.withUnsafeMutableBytes { targets in
                let targets = targets.bindMemory(to: Int64.self)
                switch kind.input {
                case .numbers:
                    split.copyBatch(positions, into: inputs.bindMemory(to: Float.self), labels: targets)
                case .tokens:
                    split.copyTokens(positions, into: inputs.bindMemory(to: Int64.self), targets: targets)
                }
            }
        }
        if let noise, let step { noise.apply(to: batch, positions, step: step) }
        return batch
    }

    private func make(_ count: Int) throws -> Batch {
        let shape = [count] + kind.inputShape
        let inputs: Tensor =
            switch kind.input {
            case .numbers: try .zeros(shape)
            case .tokens: try .zeros(shape, dtype: .int64)
            }
        let targets = try Tensor.zeros(kind.target.isPerToken ? shape : [count], dtype: .int64)
        let batch = Batch(inputs: inputs, targets: targets, count: count)
        made[count] = batch
        return batch
    }
}
