import Foundation
import PerturbedEquations

/// Asynchronous successive halving: all trials are trained a little, and of those the best `1/factor` longer, again and again.
///
/// A trial is measured on rungs, after shares factor^(r − R + 1) of its training (r from 0, R rungs; the last is the whole). A
/// trial goes on to rung r + 1 as soon as it is among the best ⌊n/factor⌋ of the n that have been measured on rung r.
///
/// Li et al. (2020), "A system for massively parallel hyperparameter tuning" (ASHA).
package struct SuccessiveHalving: Codable, Sendable, Equatable {
    /// η ≥ 2 (default 3).
    package var factor = 3
    /// R, 1 to 8 (default 3); 1 trains every trial to its end.
    package var rungs = 3

    package init(factor: Int = 3, rungs: Int = 3) {
        self.factor = factor
        self.rungs = rungs
    }

    private enum CodingKeys: String, CodingKey { case factor, rungs }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        factor = try container.decodeIfPresent(Int.self, forKey: .factor) ?? factor
        rungs = try container.decodeIfPresent(Int.self, forKey: .rungs) ?? rungs
        try container.require((2...100).contains(factor), .factor, "is \(factor); allowed: 2 to 100")
        try container.require((1...8).contains(rungs), .rungs, "is \(rungs); allowed: 1 to 8")
    }

    /// The share of its training that a trial has had on a rung.
    package func share(ofRung rung: Int) -> Double { pow(Double(factor), Double(rung - rungs + 1)) }

    /// The next trial to train longer, of the highest rung that has one.
    ///
    /// - Parameters:
    ///   - losses: of each rung, by trial; infinite for those that diverged or failed.
    ///   - promoted: of each rung, the trials that have gone on from it.
    package func promotion(losses: [[Int: Double]], promoted: [Set<Int>]) -> (trial: Int, rung: Int)? {
        for rung in (0..<(rungs - 1)).reversed() {
            let ranked = losses[rung].sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            let best = ranked.prefix(ranked.count / factor)
            if let next = best.first(where: { $0.value.isFinite && !promoted[rung].contains($0.key) }) {
                return (next.key, rung + 1)
            }
        }
        return nil
    }
}
