import Datasets
import Torch

/// Examples as tensors: the model's input [n, …] and the int64 labels [n].
struct Batch {
    var inputs: Tensor
    var labels: Tensor
    var count: Int
}

/// Fills tensors with examples, the same tensors again for batches of the same size.
final class BatchLoader {
    private let split: DataSplit
    private let shape: [Int]
    private let noise: BatchNoise?
    private var made: [Int: Batch] = [:]

    /// - Parameters:
    ///   - shape: the shape of one example.
    ///   - noise: what training adds to the examples.
    init(_ split: DataSplit, shape: [Int], noise: BatchNoise? = nil) {
        self.split = split
        self.shape = shape
        self.noise = noise
    }

    /// The examples at `positions`, with the noise of a training step where one is named. The batch is valid until the
    /// next call.
    /// - Throws: `TorchError` where there is no memory for it.
    func load(_ positions: ArraySlice<Int>, step: Int? = nil) throws -> Batch {
        let batch = try made[positions.count] ?? make(positions.count)
        batch.inputs.withUnsafeMutableBytes { inputs in
            batch.labels.withUnsafeMutableBytes { labels in
                split.copyBatch(
                    positions, into: inputs.bindMemory(to: Float.self),
                    labels: labels.bindMemory(to: Int64.self))
            }
        }
        if let noise, let step { noise.apply(to: batch, positions, step: step) }
        return batch
    }

    private func make(_ count: Int) throws -> Batch {
        let batch = Batch(
            inputs: try .zeros([count] + shape), labels: try .zeros([count], dtype: .int64), count: count)
        made[count] = batch
        return batch
    }
}
