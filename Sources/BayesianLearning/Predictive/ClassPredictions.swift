import Datasets
import Foundation
import Statistics
import TorchNN
import Training

/// What the members of an ensemble say together of each of many examples, one of C classes each.
///
/// ```
/// p̄ = (1/S)·Σₛ pₛ,   pₛ = softmax(scores of member s)
/// H[p̄] = (1/S)·Σₛ H[pₛ] + I
/// ```
///
/// In float64, and p̄ by its logarithm, so that no probability is 0. Entropies and the mutual information I of class and member are
/// in nats. Of the members only sums are kept.
///
/// Source: Houlsby et al. 2011, Bayesian Active Learning for Classification and Preference Learning; Depeweg et al. 2018.
public struct ClassPredictions: Sendable {
    public let classes: Int
    /// S.
    public let members: Int
    /// log p̄ of each example and class, [examples · classes].
    public let logProbabilities: [Double]
    /// H[p̄] and (1/S)·Σₛ H[pₛ] of each example.
    public let entropies: [Double]
    public let expectedEntropies: [Double]
    /// The largest p̄ of each example.
    public let confidences: [Double]
    /// The class of each example; nil for examples of other classes than the model's.
    public let targets: [Int64]?
    /// Accuracy and the mean of −log p(y) of each member by itself; none without targets.
    public let memberAccuracies: [Double]
    public let memberLosses: [Double]

    public var count: Int { entropies.count }

    /// I of each example, ≥ 0.
    public var mutualInformations: [Double] { zip(entropies, expectedEntropies).map { max(0, $0 - $1) } }

    /// Whether the class of the largest p̄ is the example's.
    /// - Precondition: there are targets.
    public var isRight: [Bool] {
        guard let targets else { preconditionFailure("predictions without targets") }
        return targets.enumerated().map { example, target in
            let own = logProbabilities[(example * classes)..<((example + 1) * classes)]
            return own.indices.max { own[$0] < own[$1] || (own[$0] == own[$1] && $0 > $1) }! - own.startIndex
                == Int(target)
        }
    }

    /// Collects predictions of several parts of data, each member's weights being installed once. The model is left with those
    /// of the last member.
    ///
    /// - Parameters:
    ///   - parts: with what is asked of them; without `hasTargets` an example's own class is not looked at.
    ///   - kind: of the examples, one class each.
    ///   - progress: is told after each member how many are done.
    /// - Returns: of each part.
    /// - Throws: `ModelError` (`notFinite`) naming the member whose scores are not finite; errors of the files that hold weights;
    ///   `TorchError`; `TrainingStopped` where a stop was asked for.
    /// - Precondition: the targets are one class for each example.
    public static func collect(
        _ members: any PredictiveMembers, _ model: any Module,
        on parts: [(split: DataSplit, hasTargets: Bool)], of kind: ExampleKind,
        progress: (Int) -> Void = { _ in }
    ) throws -> [ClassPredictions] {
        guard case .oneClass(let classes) = kind.target else {
            preconditionFailure("predictions of classes, and the targets are \(kind.target)")
        }
        var sums = parts.map { Sums(examples: $0.split.count, classes: classes, members: members.count) }
        try members.forEachOutput(of: model, on: parts.map(\.split), kind, progress: progress) { outputs in
            precondition(outputs.values.count == outputs.batch.count * classes)
            let targets =
                parts[outputs.part].hasTargets
                ? try outputs.batch.targets.moved(to: .cpu).array(of: Int64.self) : nil
            sums[outputs.part].add(
                outputs.values, targets: targets, first: outputs.first, member: outputs.member)
        }
        return sums.map { $0.predictions(of: members.count) }
    }

    /// Sums over the members so far.
    private struct Sums {
        let classes: Int
        /// log Σₛ pₛ.
        var logSums: [Double]
        /// Σₛ H[pₛ].
        var entropySums: [Double]
        var targets: [Int64]?
        var right: [Int]
        var losses: [Double]

        init(examples: Int, classes: Int, members: Int) {
            self.classes = classes
            logSums = [Double](repeating: -.infinity, count: examples * classes)
            entropySums = [Double](repeating: 0, count: examples)
            right = [Int](repeating: 0, count: members)
            losses = [Double](repeating: 0, count: members)
        }

        mutating func add(_ scores: [Float], targets given: [Int64]?, first: Int, member: Int) {
            if let given {
                if targets == nil { targets = [Int64](repeating: 0, count: entropySums.count) }
                for (row, target) in given.enumerated() { targets![first + row] = target }
            }
            for row in 0..<(scores.count / classes) {
                let own = scores[(row * classes)..<((row + 1) * classes)]
                var best = own.startIndex
                for place in own.indices where own[place] > own[best] { best = place }
                let largest = Double(own[best])
                var sum = 0.0
                for score in own { sum += exp(Double(score) - largest) }
                let logSum = log(sum) + largest
                let (example, start) = (first + row, (first + row) * classes)
                var entropy = 0.0
                for (label, score) in own.enumerated() {
                    let logProbability = Double(score) - logSum
                    entropy -= exp(logProbability) * logProbability
                    logSums[start + label] = Self.logSum(logSums[start + label], logProbability)
                }
                entropySums[example] += entropy
                if let target = given?[row] {
                    right[member] += best - own.startIndex == Int(target) ? 1 : 0
                    losses[member] += logSum - Double(own[own.startIndex + Int(target)])
                }
            }
        }

        /// log(eᵃ + eᵇ), of which a may be −∞.
        private static func logSum(_ a: Double, _ b: Double) -> Double {
            let (least, most) = a < b ? (a, b) : (b, a)
            return least == -.infinity ? most : most + log1p(exp(least - most))
        }

        func predictions(of members: Int) -> ClassPredictions {
            let shift = log(Double(members))
            let logs = logSums.map { $0 - shift }
            var (entropies, confidences) = ([Double](), [Double]())
            for example in entropySums.indices {
                let own = logs[(example * classes)..<((example + 1) * classes)]
                entropies.append(-own.reduce(0) { $0 + exp($1) * $1 })
                confidences.append(exp(own.max() ?? 0))
            }
            let count = Double(max(1, entropySums.count))
            return ClassPredictions(
                classes: classes, members: members, logProbabilities: logs, entropies: entropies,
                expectedEntropies: entropySums.map { $0 / Double(members) }, confidences: confidences,
                targets: targets,
                memberAccuracies: targets == nil ? [] : right.map { Double($0) / count },
                memberLosses: targets == nil ? [] : losses.map { $0 / count })
        }
    }

    /// The predictions of some of the examples. What members are by themselves is left out.
    func selecting(_ examples: [Int]) -> ClassPredictions {
        ClassPredictions(
            classes: classes, members: members,
            logProbabilities: examples.flatMap { logProbabilities[($0 * classes)..<(($0 + 1) * classes)] },
            entropies: examples.map { entropies[$0] },
            expectedEntropies: examples.map { expectedEntropies[$0] },
            confidences: examples.map { confidences[$0] },
            targets: targets.map { targets in examples.map { targets[$0] } }, memberAccuracies: [],
            memberLosses: [])
    }
}
