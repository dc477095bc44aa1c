import Torch

/// What training makes small: a mean over the batch.
public enum Loss: Sendable, Hashable {
    /// −log softmax(x)[target], for x [n, classes] and int64 targets [n] or probabilities [n, classes]. With
    /// smoothing s in 0...1 the target is (1 − s)·target + s/classes.
    case crossEntropy(labelSmoothing: Double = 0)
    /// (x − target)², for equal shapes.
    case meanSquaredError
    /// −(t·log σ(x) + (1 − t)·log(1 − σ(x))), for equal shapes.
    case binaryCrossEntropyWithLogits

    /// A scalar. Traps where the shapes do not fit, or a class is out of range.
    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        switch self {
        case .crossEntropy(let labelSmoothing):
            prediction.crossEntropy(target, labelSmoothing: labelSmoothing)
        case .meanSquaredError: prediction.meanSquaredError(target)
        case .binaryCrossEntropyWithLogits: prediction.binaryCrossEntropyWithLogits(target)
        }
    }
}
