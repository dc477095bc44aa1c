import Foundation
import PerturbedEquations

/// How the next token is chosen from a model's scores s.
///
/// ```
/// P(token) = exp(s/T) / Σ exp(s/T)  over the k tokens with the largest scores;  T = 0: the largest
/// ```
///
/// The choice is a function of the scores, the seed and the position alone. Source of top-k: Fan, Lewis and Dauphin 2018,
/// Hierarchical Neural Story Generation.
public struct TokenSampler: Sendable, Hashable {
    /// T, ≥ 0.
    public var temperature: Double
    /// k, with all that tie with the k-th; 0: all tokens.
    public var topK: Int
    private let key: NoiseKey

    /// - Precondition: the temperature is finite and ≥ 0, and k ≥ 0.
    public init(temperature: Double = 1, topK: Int = 0, seed: UInt64 = 0) {
        precondition(temperature >= 0 && temperature.isFinite && topK >= 0, "TokenSampler: bad settings")
        self.temperature = temperature
        self.topK = topK
        key = NoiseKey(seed: seed).derived("generate")
    }

    /// The token at `position` of a text.
    ///
    /// - Parameter scores: one for each token, finite, at least one.
    public func token(from scores: [Float], at position: Int) -> Int {
        let largest = scores.max()!
        guard temperature > 0 else { return scores.firstIndex(of: largest)! }
        let least = topK > 0 && topK < scores.count ? scores.sorted(by: >)[topK - 1] : -.infinity
        var total = 0.0
        let sums = scores.map { score in
            if score >= least { total += exp(Double(score - largest) / temperature) }
            return total
        }
        // u·total may round to the total.
        let u = key.uniform(UInt64(position))
        return sums.firstIndex { $0 > u * total } ?? scores.firstIndex(of: largest)!
    }
}
