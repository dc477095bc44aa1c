import Foundation

/// What samples of a classifier's weights say together of one example: the posterior predictive distribution, and how much of its
/// uncertainty is of which kind. Entropies are in nats.
///
/// ```
/// p̄ = (1/S)·Σₛ pₛ,   H[p̄] = (1/S)·Σₛ H[pₛ] + I
/// ```
///
/// (1/S)·Σ H[pₛ] is what every sample is unsure of, the aleatoric part; the mutual information I of class and weights is how much
/// the samples disagree, the epistemic part, which more data would take away.
///
/// Source: Houlsby et al. 2011, Bayesian Active Learning for Classification and Preference Learning; Depeweg et al. 2018.
public struct ClassPredictive: Codable, Sendable, Equatable {
    /// p̄ of each class.
    public let probabilities: [Double]
    /// H[p̄].
    public let entropy: Double
    /// (1/S)·Σₛ H[pₛ].
    public let expectedEntropy: Double

    /// I ≥ 0.
    public var mutualInformation: Double { max(0, entropy - expectedEntropy) }

    /// - Parameter samples: pₛ, each of as many classes.
    /// - Precondition: there is a sample, and all are of as many classes.
    public init(samples: [[Double]]) {
        precondition(
            !samples.isEmpty && samples.allSatisfy { $0.count == samples[0].count },
            "samples of class probabilities, of as many classes each; these are of \(samples.map(\.count))")
        let share = 1 / Double(samples.count)
        probabilities = samples[0].indices.map { label in samples.reduce(0) { $0 + $1[label] } * share }
        entropy = Self.entropy(probabilities)
        expectedEntropy = samples.reduce(0) { $0 + Self.entropy($1) } * share
    }

    /// H[p] = −Σ p·log p, with 0·log 0 = 0.
    public static func entropy(_ probabilities: [Double]) -> Double {
        -probabilities.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
    }
}
