import Datasets
import PerturbedEquations
import Torch
import TorchNN

extension Evaluation {
    /// Calls `body` with batch after batch of a part of the data, in its order.
    ///
    /// - Parameters:
    ///   - positions: which examples; all unless told.
    ///   - size: examples of one batch; what one forward pass takes unless told.
    ///   - body: also gets where the batch's examples stand in the part.
    /// - Throws: ``TrainingStopped`` where a stop was asked for; `TorchError`; what `body` throws.
    package static func forEachBatch(
        of split: DataSplit, _ kind: ExampleKind, positions: [Int]? = nil, size: Int? = nil,
        on device: Device, _ body: (Batch, ArraySlice<Int>) throws -> Void
    ) throws {
        let loader = BatchLoader(split, of: kind)
        let order = Batches(
            indices: positions ?? Array(0..<split.count), size: size ?? Evaluation.batchSize(kind))
        for positions in order {
            try Interruption.check()
            try body(try loader.load(positions).moved(to: device), positions)
            try Libtorch.checkHeldFailure()
        }
    }

    /// Measures a classifier on inputs that are changed first.
    ///
    /// - Parameters:
    ///   - positions: which examples; all unless told.
    ///   - size: examples of one batch.
    ///   - change: the inputs to measure on instead of a batch's own; it may write to those.
    /// - Precondition: an example has one class.
    package static func measure(
        _ model: any Module, on split: DataSplit, of kind: ExampleKind, positions: [Int]? = nil,
        size: Int? = nil, changing change: (Batch, ArraySlice<Int>) throws -> Tensor
    ) throws -> Evaluation {
        let mean = Loss.crossEntropy()
        let device = model.parameters.first?.tensor.device ?? .cpu
        var (loss, correct, count) = (0.0, 0, 0)
        try forEachBatch(of: split, kind, positions: positions, size: size, on: device) { batch, positions in
            let inputs = try change(batch, positions)
            withoutGradients {
                let scores = model.forward(inputs, .evaluation)
                loss += mean(scores, batch.targets).item() * Double(batch.count)
                correct += mean.countCorrect(scores, batch.targets)
            }
            count += batch.count
        }
        return Evaluation(
            loss: loss / Double(max(1, count)), accuracy: Double(correct) / Double(max(1, count)),
            count: count)
    }
}

extension Interruption {
    /// Throws where a stop was asked for: for work that leaves nothing to go on from.
    package static func check() throws {
        guard isRequested else { return }
        throw TrainingStopped(
            .interrupted, "interrupted; nothing was changed", step: 0, checkpointStep: nil)
    }
}
