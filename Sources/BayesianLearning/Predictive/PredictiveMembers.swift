import Datasets
import Models
import Torch
import TorchNN
import Training

/// The members of an ensemble of predictions p(y|x, θₛ), s = 1 … S: draws of a posterior, models of several runs, masks of
/// dropout.
///
/// ```
/// p(y|x, data) = ∫ p(y|x, θ)·p(θ|data) dθ ≈ (1/S)·Σₛ p(y|x, θₛ)
/// ```
public protocol PredictiveMembers {
    /// S ≥ 1.
    var count: Int { get }

    /// Makes the model the member of that number, in 0 ..< ``count``.
    /// - Returns: what to forward it with.
    /// - Throws: errors of the files that hold the weights.
    func install(_ member: Int, in model: any Module) throws -> ForwardContext
}

/// Outputs of one member for one batch.
struct MemberOutputs {
    var member: Int
    /// Which of the parts of the data, and its first example.
    var part: Int
    var first: Int
    /// [n · outputs].
    var values: [Float]
    var batch: Batch
}

extension PredictiveMembers {
    /// Calls `body` with what every member gives for every batch of some parts of data, the members outside: each one's
    /// weights are installed once, and no two members' are in memory.
    ///
    /// - Parameter progress: is told after each member how many are done.
    /// - Throws: `ModelError` (`notFinite`) naming the member whose outputs are not finite; what ``install(_:in:)`` throws;
    ///   `TorchError`; `TrainingStopped` where a stop was asked for.
    func forEachOutput(
        of model: any Module, on parts: [DataSplit], _ kind: ExampleKind, progress: (Int) -> Void,
        _ body: (MemberOutputs) throws -> Void
    ) throws {
        let device = model.parameters.first?.tensor.device ?? .cpu
        for member in 0..<count {
            let context = try install(member, in: model)
            for (number, part) in parts.enumerated() {
                try Evaluation.forEachBatch(of: part, kind, on: device) { batch, positions in
                    // A mask of dropout of each batch's own.
                    let own = context.entering(number).entering(positions.startIndex)
                    let output = withoutGradients { model.forward(batch.inputs, own) }
                    try Libtorch.checkHeldFailure()
                    let values = try output.converted(to: .float32).moved(to: .cpu).contiguous()
                        .array(of: Float.self)
                    guard values.allSatisfy(\.isFinite) else {
                        throw ModelError(
                            code: .notFinite,
                            message:
                                "the outputs of member \(member + 1) of \(count) are not finite: its weights, or the "
                                + "inputs, are not")
                    }
                    try body(
                        MemberOutputs(
                            member: member, part: number, first: positions.startIndex, values: values,
                            batch: batch))
                }
            }
            progress(member + 1)
        }
    }
}
