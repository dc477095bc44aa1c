import Statistics

/// How well uncertainty tells examples of another distribution from those of the data: the area under the receiver operating
/// characteristic, the chance that an example from outside is the less sure one. ½ tells nothing apart.
///
/// Source: Hendrycks and Gimpel 2017, A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks
/// (by the largest probability).
public struct OutOfDistribution: Codable, Sendable, Equatable {
    /// The name of the other data, and how many examples of it.
    public var data: String
    public var count: Int
    /// By H[p̄].
    public var byEntropy: Double
    /// By the mutual information; nil for one member, which has none.
    public var byMutualInformation: Double?
    /// By 1 − the largest p̄.
    public var byConfidence: Double
    /// Means over the outside examples, in nats.
    public var entropy: Double
    public var mutualInformation: Double

    /// - Parameters:
    ///   - data: the name of the other data.
    ///   - outside, inside: what the same members say of both.
    public init(_ data: String, outside: ClassPredictions, inside: ClassPredictions) {
        func area(_ value: (ClassPredictions) -> [Double]) -> Double {
            areaUnderROC(positives: value(outside), negatives: value(inside))
        }
        self.data = data
        count = outside.count
        byEntropy = area(\.entropies)
        byMutualInformation = outside.members > 1 ? area(\.mutualInformations) : nil
        byConfidence = area { $0.confidences.map { -$0 } }
        entropy = Sample.mean(outside.entropies)
        mutualInformation = Sample.mean(outside.mutualInformations)
    }
}
