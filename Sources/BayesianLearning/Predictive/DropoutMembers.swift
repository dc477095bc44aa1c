import Datasets
import PerturbedEquations
import Torch
import TorchNN
import Training

/// Masks of dropout as members: Monte Carlo dropout of one set of weights.
///
/// A forward pass drops as in training; everything else is as in evaluation, batch normalisation by its running statistics. The
/// masks are a pure function of the seed, the member and the batch.
///
/// Source: Gal and Ghahramani 2016, Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep Learning.
public struct DropoutMembers: PredictiveMembers {
    public let count: Int
    private let key: NoiseKey

    /// - Precondition: `count` is 1 or more.
    public init(_ count: Int, seed: UInt64) {
        precondition(count >= 1, "an ensemble of \(count) members")
        self.count = count
        key = NoiseKey(seed: seed).derived("monte-carlo-dropout")
    }

    public func install(_ member: Int, in model: any Module) throws -> ForwardContext {
        .droppingInEvaluation(seed: key.word(UInt64(member)))
    }

    /// Whether dropout changes what a model gives for a part's first batch: otherwise it has none, and all members are one.
    /// - Throws: `TorchError`.
    public static func hasDropout(_ model: any Module, on split: DataSplit, of kind: ExampleKind) throws
        -> Bool
    {
        let device = model.parameters.first?.tensor.device ?? .cpu
        let first = Array(0..<min(split.count, Evaluation.batchSize(kind)))
        var isRandom = false
        try Evaluation.forEachBatch(of: split, kind, positions: first, on: device) { batch, _ in
            func output(_ context: ForwardContext) throws -> [Float] {
                try withoutGradients { model.forward(batch.inputs, context) }.converted(to: .float32)
                    .moved(to: .cpu).contiguous().array(of: Float.self)
            }
            isRandom = try output(.evaluation) != output(.droppingInEvaluation(seed: 1))
        }
        return isRandom
    }
}
