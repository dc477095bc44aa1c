import Experiments
import Foundation
import PerturbedEquations
import Testing

/// Asynchronous successive halving, apart from what it trains.
@Suite struct SuccessiveHalvingTests {
    @Test func sharesEndWithTheWholeTraining() {
        #expect(SuccessiveHalving(factor: 4, rungs: 3).share(ofRung: 2) == 1)
        #expect(SuccessiveHalving(factor: 4, rungs: 3).share(ofRung: 0) == 0.0625)
        #expect(SuccessiveHalving(factor: 3, rungs: 1).share(ofRung: 0) == 1)
    }

    /// In any order of ending: who goes on is among the best ⌊n/factor⌋ of its rung, and goes on once; the best trial is trained
    /// to the end where rungs agree; a trial that failed never goes on.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func theBestGoOn(seed: UInt64) {
        let key = NoiseKey(seed: seed)
        let halving = SuccessiveHalving(factor: 3, rungs: 3)
        let quality = (0..<40).map { $0 % 7 == 0 ? Double.infinity : key.uniform(UInt64($0)) }
        var losses: [[Int: Double]] = [[:], [:], [:]]
        var promoted: [Set<Int>] = [[], [], []]
        var working: [(trial: Int, rung: Int)] = []
        var (next, counter) = (0, UInt64(1000))
        while true {
            while working.count < 4 {
                if let job = halving.promotion(losses: losses, promoted: promoted) {
                    let below = losses[job.rung - 1]
                    let better = below.count { $0.value < quality[job.trial] }
                    #expect(better < below.count / 3 && below[job.trial] != nil, "seed \(seed)")
                    #expect(!promoted[job.rung - 1].contains(job.trial), "seed \(seed)")
                    promoted[job.rung - 1].insert(job.trial)
                    working.append(job)
                } else if next < quality.count {
                    working.append((next, 0))
                    next += 1
                } else {
                    break
                }
            }
            guard !working.isEmpty else { break }
            counter += 1
            let job = working.remove(at: Int(key.uniformIndex(below: UInt64(working.count), counter)))
            losses[job.rung][job.trial] = quality[job.trial]
        }
        let best = quality.indices.min { quality[$0] < quality[$1] }!
        #expect(losses[2].keys.contains(best), "seed \(seed): \(losses[2])")
        #expect(losses[0].count == 40 && losses[1].count >= 13 && losses[2].count >= 4, "seed \(seed)")
        #expect(losses[1].values.allSatisfy { $0.isFinite }, "seed \(seed)")
    }
}
