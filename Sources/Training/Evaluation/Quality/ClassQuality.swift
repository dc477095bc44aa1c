import Datasets
import Foundation
import Models
import Torch
import TorchNN

/// What a classifier's probabilities p are worth.
///
/// | Measure | Mean over all targets y of |
/// |---|---|
/// | `accuracy` | 1 where the largest p is y's |
/// | `loss` | −log p(y), in nats (NLL) |
/// | `brier` | Σ over classes c of (p(c) − [c = y])², in 0...2 |
/// | `uniformLoss` | −(1/C)·Σ over classes c of log p(c): the loss against a label drawn evenly |
///
/// Source of `brier`: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.
public struct ClassQuality: Codable, Sendable, Equatable {
    public var accuracy: Double
    public var loss: Double
    public var brier: Double
    public var uniformLoss: Double
    public var classes: Int
    /// The targets measured on: examples, or tokens.
    public var count: Int
    public var calibration: Calibration

    /// Measures `model` on a part of the data. Nothing is random, and nothing of the model changes.
    ///
    /// - Throws: `ModelError` (`notFinite`) for scores that are not finite; `TorchError`; ``TrainingStopped`` where a
    ///   stop was asked for.
    /// - Precondition: the targets are classes.
    public static func measure(_ model: any Module, on split: DataSplit, of kind: ExampleKind) throws
        -> ClassQuality
    {
        var sums = Sums(classes: kind.target.classes)
        let device = model.parameters.first?.tensor.device ?? .cpu
        try Evaluation.forEachBatch(of: split, kind, on: device) { batch, _ in
            let scores = withoutGradients { model.forward(batch.inputs, .evaluation) }
            try Libtorch.checkHeldFailure()
            try sums.add(
                scores.converted(to: .float32).moved(to: .cpu).contiguous().array(of: Float.self),
                targets: batch.targets.moved(to: .cpu).array(of: Int64.self))
        }
        return sums.quality
    }

    /// Adds up the measures.
    package struct Sums {
        private let classes: Int
        private var (loss, brier, uniformLoss) = (0.0, 0.0, 0.0)
        private var confidences: [Double] = []
        private var isRight: [Bool] = []

        package init(classes: Int) { self.classes = classes }

        /// Takes in scores [… classes] and a class for each row of them; −100 is not asked for.
        package mutating func add<Score: BinaryFloatingPoint>(_ scores: [Score], targets: [Int64]) throws {
            precondition(scores.count == targets.count * classes)
            for (row, target) in targets.enumerated() where target != TargetKind.ignored {
                let own = scores[row * classes..<(row + 1) * classes]
                var (best, sumOfScores) = (own.startIndex, 0.0)
                for place in own.indices {
                    if own[place] > own[best] { best = place }
                    sumOfScores += Double(own[place])
                }
                guard sumOfScores.isFinite else {
                    throw ModelError(
                        code: .notFinite,
                        message: "the model's scores are not finite: its weights, or the inputs, are not")
                }
                let largest = Double(own[best])
                var (sum, squares) = (0.0, 0.0)
                for score in own {
                    let weight = exp(Double(score) - largest)
                    sum += weight
                    squares += weight * weight
                }
                let logSum = log(sum) + largest
                let wanted = Double(own[own.startIndex + Int(target)])
                loss += logSum - wanted
                uniformLoss += logSum - sumOfScores / Double(classes)
                brier += squares / (sum * sum) - 2 * exp(wanted - logSum) + 1
                confidences.append(1 / sum)
                isRight.append(best - own.startIndex == Int(target))
            }
        }

        package var quality: ClassQuality {
            let count = Double(max(1, isRight.count))
            return ClassQuality(
                accuracy: Double(isRight.count { $0 }) / count, loss: loss / count, brier: brier / count,
                uniformLoss: uniformLoss / count, classes: classes, count: isRight.count,
                calibration: Calibration(confidences: confidences, isRight: isRight))
        }
    }
}

extension ClassQuality {
    /// Accuracy and loss against labels of which a share is wrong.
    public struct UnderLabelNoise: Codable, Sendable, Equatable {
        /// ρ: the share of labels that are drawn anew, evenly from all classes.
        public var rate: Double
        public var accuracy: Double
        public var loss: Double
    }

    /// What is expected where each label is, with probability ρ, drawn anew evenly from all C classes, the true one
    /// included:
    ///
    /// ```
    /// E[accuracy] = (1 − ρ)·accuracy + ρ/C      E[loss] = (1 − ρ)·loss + ρ·uniformLoss
    /// ```
    ///
    /// Exact: nothing is drawn. The accuracy's fall is the same for every model of that accuracy; how fast the loss rises
    /// tells how badly wrong labels hurt an overconfident one. The law is that of ``LabelNoise``.
    public func underLabelNoise(rate: Double) -> UnderLabelNoise {
        UnderLabelNoise(
            rate: rate, accuracy: (1 - rate) * accuracy + rate / Double(classes),
            loss: (1 - rate) * loss + rate * uniformLoss)
    }
}
