import Datasets
import Torch
import TorchNN

/// How good a model is on a part of the data.
public struct Evaluation: Codable, Sendable, Equatable {
    /// The mean cross-entropy, without label smoothing.
    public var loss: Double
    /// The share of examples whose largest score is that of their class.
    public var accuracy: Double
    /// The examples measured on.
    public var count: Int

    /// Examples of one forward pass: fixed, so that sums are taken in the same order on every machine.
    static let batchSize = 256

    /// Measures `model` on all of `split`. Nothing is random, and nothing of the model changes.
    /// - Throws: `TorchError` where there is no memory.
    public static func measure(_ model: any Module, on split: DataSplit, shape: [Int]) throws -> Evaluation {
        let loader = BatchLoader(split, shape: shape)
        var loss = 0.0
        var correct = 0
        try withoutGradients {
            for positions in EpochOrder(unshuffled: split.count).batches(of: batchSize) {
                let batch = try loader.load(positions)
                let scores = model.forward(batch.inputs, .evaluation)
                loss += scores.crossEntropy(batch.labels).item() * Double(batch.count)
                correct += scores.countCorrect(batch.labels)
            }
        }
        let count = Double(max(1, split.count))
        return Evaluation(loss: loss / count, accuracy: Double(correct) / count, count: split.count)
    }
}
