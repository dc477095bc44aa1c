import Foundation
import PerturbedEquations
import Statistics
import TestSupport
import Testing

/// Diagnostics of Markov chains: against ArviZ on the same draws, and closed forms.
@Suite struct ChainTests {
    /// Autoregressive chains x ← a·x + √(1 − a²)·ξ with their own offset and scale: they mix well, badly, or disagree.
    private static func chains(
        _ count: Int, length: Int, memory: Double, offset: Double = 0, scale: Double = 0, heavy: Bool = false,
        seed: UInt64
    ) -> [[Double]] {
        (0..<count).map { chain in
            let key = NoiseKey(seed: seed).derived(UInt64(chain))
            var x = 0.0
            return (0..<length).map { step in
                let xi = Normal.quantile(key.uniform(UInt64(step)))
                x = memory * x + (1 - memory * memory).squareRoot() * xi
                let spread = 1 + scale * Double(chain)
                return offset * Double(chain) + spread * (heavy ? x * x * x : x)
            }
        }
    }

    private static func cases(seed: UInt64) -> [[[Double]]] {
        [
            chains(4, length: 500, memory: 0, seed: seed),
            chains(4, length: 501, memory: 0.9, seed: seed + 1),
            chains(4, length: 300, memory: 0.5, offset: 0.3, seed: seed + 2),
            chains(3, length: 400, memory: 0.3, scale: 0.5, seed: seed + 3),
            chains(2, length: 1000, memory: -0.7, seed: seed + 4),
            chains(8, length: 200, memory: 0.6, heavy: true, seed: seed + 5),
            chains(1, length: 400, memory: 0.8, seed: seed + 6),
            chains(4, length: 12, memory: 0.95, seed: seed + 7),
            // Ties: every draw stays for a while.
            chains(4, length: 100, memory: 0.2, seed: seed + 8).map { $0.flatMap { [$0, $0, $0] } },
        ]
    }

    private struct Expected: Codable {
        /// nil of one chain, which ArviZ does not judge.
        var rhat: Double?
        var bulk, tail, error: Double
        var autocorrelation: [Double]
    }

    @Test func arvizAgrees() throws {
        let seed: UInt64 = 20_261_125
        let cases = Self.cases(seed: seed)
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode(cases).write(to: directory.file("draws.json"))
        let text = try ParityPython.run(
            """
            import json, sys
            import numpy as np
            from arviz_stats.base import array_stats as stats
            result = []
            for draws in map(np.array, json.load(open(sys.argv[1]))):
                axes = dict(chain_axis=0, draw_axis=1)
                result.append({
                    "rhat": float(stats.rhat(draws, **axes)) if len(draws) > 1 else None,
                    "bulk": float(stats.ess(draws, method="bulk", **axes)),
                    "tail": float(stats.ess(draws, method="tail", prob=(0.05, 0.95), **axes)),
                    "error": float(stats.mcse(draws, method="mean", **axes)),
                    "autocorrelation": [float(x) for x in stats.autocorr(draws[0])[:9]]})
            print(json.dumps(result))
            """, directory.file("draws.json").path, with: "arviz")
        let expected = try JSONDecoder().decode([Expected].self, from: Data(text.utf8))
        #expect(expected.count == cases.count)
        for (number, (draws, expected)) in zip(cases, expected).enumerated() {
            let chains = Chains(draws)
            func near(_ a: Double, _ b: Double, _ what: String) {
                #expect(
                    abs(a - b) <= 1e-8 * abs(b), "case \(number), \(what): \(a), ArviZ \(b); seed \(seed)")
            }
            if let rhat = expected.rhat { near(chains.splitRHat, rhat, "R̂") }
            near(chains.bulkEffectiveSize, expected.bulk, "bulk")
            near(chains.tailEffectiveSize, expected.tail, "tail")
            near(chains.meanError, expected.error, "error of the mean")
            for (a, b) in zip(Chains.autocorrelation(draws[0], upTo: 8), expected.autocorrelation) {
                #expect(abs(a - b) < 1e-10, "case \(number): \(a), ArviZ \(b); seed \(seed)")
            }
        }
    }

    /// An autoregressive chain with memory a has S·(1 − a)/(1 + a) effective draws.
    @Test(arguments: [0.0, 0.5, 0.9, -0.5])
    func effectiveSizeOfAnAutoregression(memory: Double) {
        let chains = Chains(Self.chains(8, length: 20_000, memory: memory, seed: 3))
        let expected = 160_000 * (1 - memory) / (1 + memory)
        #expect(
            abs(chains.meanEffectiveSize / expected - 1) < 0.1, "\(chains.meanEffectiveSize), \(expected)")
        #expect(abs(chains.splitRHat - 1) < 0.003, "\(chains.splitRHat)")
    }

    /// A warning where the chains disagree in place or spread, have hardly moved, or are no numbers; none where all is well.
    @Test func warnings() {
        func warning(_ draws: [[Double]]) -> String? { ChainDiagnostics(Chains(draws)).warning }
        #expect(warning(Self.chains(4, length: 1000, memory: 0.2, seed: 1)) == nil)
        #expect(
            warning(Self.chains(4, length: 1000, memory: 0.2, offset: 1, seed: 1))?.contains("disagree")
                == true)
        #expect(
            warning(Self.chains(4, length: 1000, memory: 0.2, scale: 1, seed: 1))?.contains("disagree")
                == true)
        #expect(warning(Self.chains(4, length: 60, memory: 0, seed: 1))?.contains("effective draws") == true)
        var broken = Self.chains(4, length: 1000, memory: 0.2, seed: 1)
        broken[2][17] = .nan
        #expect(warning(broken)?.contains("not finite") == true)
        #expect(warning([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]])?.contains("all the same") == true)
        #expect(warning([[1, 2], [3, 4]])?.contains("too few") == true)
        #expect(
            warning([[1, 1, 1, 1, 1], [2, 2, 2, 2, 2]])
                == "the chains disagree, and each stands still: R̂ is infinite")
    }

    /// What cannot be told has no key.
    @Test func diagnosticsInFiles() throws {
        let chains = Chains(Self.chains(2, length: 50, memory: 0.2, seed: 1))
        let whole = ChainDiagnostics(chains)
        let data = try JSONEncoder().encode(whole)
        #expect(try JSONDecoder().decode(ChainDiagnostics.self, from: data) == whole)
        // An encoder that knows no NaN.
        let part = try JSONEncoder().encode(ChainDiagnostics(summaryOf: chains))
        let keys = try #require(try JSONSerialization.jsonObject(with: part) as? [String: Any]).keys
        #expect(keys.sorted() == ["chains", "deviation", "lower", "mean", "upper"])
        let read = try JSONDecoder().decode(ChainDiagnostics.self, from: part)
        #expect(read.mean == whole.mean && read.splitRHat.isNaN && read.meanError.isNaN)
        #expect(read.bulkEffectiveSize.isNaN && read.tailEffectiveSize.isNaN)
    }
}
