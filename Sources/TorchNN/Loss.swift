import Torch

/// What training makes small: a mean over the batch's targets.
public enum Loss: Sendable, Hashable {
    /// −log softmax(x)[target], for x [… classes] and int64 targets […] or probabilities [… classes], with any number of
    /// dimensions before the classes. A target of −100 is not asked for: the mean is over the others. With smoothing s in 0...1 the target is (1 − s)·target + s/classes.
    case crossEntropy(labelSmoothing: Double = 0)
    /// (x − target)², for equal shapes.
    case meanSquaredError
    /// |x − target|, for equal shapes.
    case meanAbsoluteError
    /// −(t·log σ(x) + (1 − t)·log(1 − σ(x))), for equal shapes.
    case binaryCrossEntropyWithLogits

    /// A scalar. Traps where the shapes do not fit, or a class is out of range.
    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        switch self {
        case .crossEntropy(let labelSmoothing):
            Self.rows(prediction).crossEntropy(
                target.dtype == .int64 ? target.flattened() : Self.rows(target),
                labelSmoothing: labelSmoothing)
        case .meanSquaredError: prediction.meanSquaredError(target)
        case .meanAbsoluteError:
            Self.isOfOneShape(prediction, target) { (prediction - target).absolute().mean() }
        case .binaryCrossEntropyWithLogits: prediction.binaryCrossEntropyWithLogits(target)
        }
    }

    /// How many scores [… classes] are largest at their int64 target […]; a target of −100 counts as wrong.
    public func countCorrect(_ scores: Tensor, _ target: Tensor) -> Int {
        Self.rows(scores).countCorrect(target.flattened())
    }

    private static func isOfOneShape(_ a: Tensor, _ b: Tensor, _ body: () -> Tensor) -> Tensor {
        precondition(a.shape == b.shape, "a loss cannot take \(a.shape) and \(b.shape): the shapes differ")
        return body()
    }

    /// All dimensions but the last made one.
    private static func rows(_ x: Tensor) -> Tensor { x.rank > 2 ? x.flattened(through: -2) : x }
}
