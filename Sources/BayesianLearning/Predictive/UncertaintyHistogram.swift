import Foundation

/// How often an uncertainty is how large: of right and of wrong predictions, and of examples of another distribution.
public struct UncertaintyHistogram: Codable, Sendable, Equatable {
    public enum Measure: String, Codable, Sendable {
        /// H[p̄] of the class.
        case entropy
        /// I of class and member.
        case mutualInformation
    }

    public var measure: Measure
    /// The upper end of the last bin, in nats; bins are equally wide from 0.
    public var upper: Double
    /// How many of each bin.
    public var right: [Int]
    public var wrong: [Int]
    public var outside: [Int]?

    static let bins = 30

    init(
        _ measure: Measure, upper: Double, of predictions: ClassPredictions, outside: ClassPredictions?
    ) {
        func values(_ predictions: ClassPredictions) -> [Double] {
            measure == .entropy ? predictions.entropies : predictions.mutualInformations
        }
        func bin(_ value: Double) -> Int {
            min(Self.bins - 1, max(0, Int(value / upper * Double(Self.bins))))
        }
        self.measure = measure
        self.upper = upper
        var counts = [[Int](repeating: 0, count: Self.bins), [Int](repeating: 0, count: Self.bins)]
        for (value, isRight) in zip(values(predictions), predictions.isRight) {
            counts[isRight ? 0 : 1][bin(value)] += 1
        }
        (right, wrong) = (counts[0], counts[1])
        self.outside = outside.map { outside in
            values(outside).reduce(into: [Int](repeating: 0, count: Self.bins)) { $0[bin($1)] += 1 }
        }
    }

    /// The histograms that tell something: of one member I is 0.
    static func all(of predictions: ClassPredictions, outside: ClassPredictions?) -> [UncertaintyHistogram] {
        let entropy = UncertaintyHistogram(
            .entropy, upper: log(Double(predictions.classes)), of: predictions, outside: outside)
        let most = (predictions.mutualInformations + (outside?.mutualInformations ?? [])).max() ?? 0
        guard predictions.members > 1, most > 0 else { return [entropy] }
        return [
            entropy,
            UncertaintyHistogram(.mutualInformation, upper: most, of: predictions, outside: outside),
        ]
    }
}
