import Datasets
import TorchNN
import Training

/// What the members of an ensemble predict of each of many numbers, standardised as the data are.
public struct NumberPredictions: Sendable {
    /// S.
    public let members: Int
    /// μₛ of each example, [examples · members].
    let means: [Float]
    /// y of each example.
    public let targets: [Float]

    public var count: Int { targets.count }

    /// μₛ of one example.
    func means(of example: Int) -> [Double] {
        means[(example * members)..<((example + 1) * members)].map(Double.init)
    }

    /// Collects predictions of several parts of data, each member's weights being installed once. The model is left with those
    /// of the last member.
    ///
    /// - Parameters:
    ///   - kind: of the examples, one number each.
    ///   - progress: is told after each member how many are done.
    /// - Returns: of each part.
    /// - Throws: as `ClassPredictions.collect`.
    /// - Precondition: the targets are numbers.
    public static func collect(
        _ members: any PredictiveMembers, _ model: any Module, on parts: [DataSplit], of kind: ExampleKind,
        progress: (Int) -> Void = { _ in }
    ) throws -> [NumberPredictions] {
        let count = members.count
        var means = parts.map { [Float](repeating: 0, count: $0.count * count) }
        try members.forEachOutput(of: model, on: parts, kind, progress: progress) { outputs in
            precondition(outputs.values.count == outputs.batch.count)
            for (row, value) in outputs.values.enumerated() {
                means[outputs.part][(outputs.first + row) * count + outputs.member] = value
            }
        }
        return zip(means, parts).map {
            NumberPredictions(members: count, means: $0, targets: $1.numbers)
        }
    }

    /// √ of the mean squared error of the members' mean: the likelihood's deviation that fits these numbers best where the
    /// members agree.
    public var deviation: Double {
        let squares = (0..<count).map { example in
            let own = means(of: example)
            let error = own.reduce(0, +) / Double(members) - Double(targets[example])
            return error * error
        }
        return (squares.reduce(0, +) / Double(max(1, count))).squareRoot()
    }
}
