import Datasets
import Foundation
import Torch
import TorchNN

/// How good a model is on a part of the data.
public struct Evaluation: Codable, Sendable, Equatable {
    /// The mean loss over all targets, without label smoothing: for classes the cross-entropy in nats, for standardised
    /// numbers the mean squared error unless the run has another loss.
    public var loss: Double
    /// The share of targets whose class has the largest score; nil for numbers.
    public var accuracy: Double?
    /// The targets measured on: examples, or tokens.
    public var count: Int
    /// e^loss, for a model that predicts tokens.
    public var perplexity: Double?
    /// √(mean squared error), for numbers, in their own unit.
    public var rmse: Double?
    /// The mean absolute error, for numbers, in their own unit.
    public var mae: Double?

    public init(
        loss: Double, accuracy: Double? = nil, count: Int, perplexity: Double? = nil, rmse: Double? = nil,
        mae: Double? = nil
    ) {
        self.loss = loss
        self.accuracy = accuracy
        self.count = count
        self.perplexity = perplexity
        self.rmse = rmse
        self.mae = mae
    }

    /// The largest number of scores of one forward pass, but at least one example's.
    private static let scoresAtOnce = 1 << 23

    /// Examples of one forward pass: fixed, so that sums are taken in the same order on every machine.
    package static func batchSize(_ kind: ExampleKind) -> Int {
        guard kind.target.isPerToken else { return 256 }
        let scores = kind.target.classes * kind.inputShape.reduce(1, *)
        return max(1, min(256, scoresAtOnce / max(1, scores)))
    }

    /// Measures `model` on all of `split`. Nothing is random, and nothing of the model changes.
    ///
    /// - Parameter choice: the loss of numbers; `mse` unless told.
    /// - Throws: `TorchError` where there is no memory.
    public static func measure(
        _ model: any Module, on split: DataSplit, of kind: ExampleKind, loss choice: LossChoice? = nil
    ) throws -> Evaluation {
        let loader = BatchLoader(split, of: kind)
        let device = model.parameters.first?.tensor.device ?? .cpu
        let mean = Loss.crossEntropy()
        // Of classes the loss; of numbers the errors' squares and sizes.
        var (loss, correct, targets) = (0.0, 0, 0)
        var (squares, sizes) = (0.0, 0.0)
        try withoutGradients {
            for positions in EpochOrder(unshuffled: split.count).batches(of: batchSize(kind)) {
                let batch = try loader.load(positions).moved(to: device)
                let scores = model.forward(batch.inputs, .evaluation)
                let asked = loader.targetCount(of: positions)
                if kind.target.scale == nil {
                    loss += mean(scores, batch.targets).item() * Double(asked)
                    correct += mean.countCorrect(scores, batch.targets)
                } else {
                    let error = scores.converted(to: .float64) - batch.targets.converted(to: .float64)
                    squares += error.squared().sum().item()
                    sizes += error.absolute().sum().item()
                }
                targets += asked
                try Libtorch.checkHeldFailure()
            }
        }
        let count = Double(max(1, targets))
        if let scale = kind.target.scale {
            return Evaluation(
                loss: (choice == .mae ? sizes : squares) / count, count: targets,
                rmse: (squares / count).squareRoot() * scale.deviation, mae: sizes / count * scale.deviation)
        }
        loss /= count
        return Evaluation(
            loss: loss, accuracy: Double(correct) / count, count: targets,
            perplexity: kind.target.isPerToken ? exp(loss) : nil)
    }
}
