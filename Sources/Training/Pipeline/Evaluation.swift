import Datasets
import Foundation
import Torch
import TorchNN

/// How good a model is on a part of the data.
public struct Evaluation: Codable, Sendable, Equatable {
    /// The mean cross-entropy over all targets, in nats, without label smoothing.
    public var loss: Double
    /// The share of targets whose class has the largest score.
    public var accuracy: Double
    /// The targets measured on: examples, or tokens.
    public var count: Int
    /// e^loss, for a model that predicts tokens.
    public var perplexity: Double?

    /// The largest number of scores of one forward pass, but at least one example's.
    private static let scoresAtOnce = 1 << 23

    /// Examples of one forward pass: fixed, so that sums are taken in the same order on every machine.
    static func batchSize(_ kind: ExampleKind) -> Int {
        guard kind.target.isPerToken else { return 256 }
        let scores = kind.target.classes * kind.inputShape.reduce(1, *)
        return max(1, min(256, scoresAtOnce / max(1, scores)))
    }

    /// Measures `model` on all of `split`. Nothing is random, and nothing of the model changes.
    /// - Throws: `TorchError` where there is no memory.
    public static func measure(_ model: any Module, on split: DataSplit, of kind: ExampleKind) throws
        -> Evaluation
    {
        let loader = BatchLoader(split, of: kind)
        let mean = Loss.crossEntropy()
        var (loss, correct, targets) = (0.0, 0, 0)
        try withoutGradients {
            for positions in EpochOrder(unshuffled: split.count).batches(of: batchSize(kind)) {
                let batch = try loader.load(positions)
                let scores = model.forward(batch.inputs, .evaluation)
                let asked = loader.targetCount(of: positions)
                loss += mean(scores, batch.targets).item() * Double(asked)
                correct += mean.countCorrect(scores, batch.targets)
                targets += asked
                try Libtorch.checkHeldFailure()
            }
        }
        let count = Double(max(1, targets))
        loss /= count
        return Evaluation(
            loss: loss, accuracy: Double(correct) / count, count: targets,
            perplexity: kind.target.isPerToken ? exp(loss) : nil)
    }
}
