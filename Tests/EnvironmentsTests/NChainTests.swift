import Environments
import PerturbedEquations
import TestSupport
import Testing

@Suite struct NChainTests {
    @Test(arguments: [3, 4, 10, 30, 100]) func itIsTheChainOfItsDefinition(_ length: Int) throws {
        let vector = try VectorEnvironment(NChain(length: length), copies: 1, seed: 1)
        var generator = SeededGenerator()
        for episode in 0..<20 {
            // s₁ … s_N, as in the paper.
            var s = 2
            // Biased to the right, so that the right end is met.
            let bias = episode % 2 == 0 ? 0.9 : 0.3
            for step in 1...length + 8 {
                let words: Comment = "N = \(length), episode \(episode), step \(step), seed \(generator.seed)"
                try #require(
                    Array(vector.observations) == (1...length).map { $0 <= s ? 1 : 0 }, words)
                let right = Double.random(in: 0..<1, using: &generator) < bias
                let reward = s == 1 && !right ? 0.001 : s == length && right ? 1 : 0
                s = right ? min(s + 1, length) : max(s - 1, 1)
                try vector.step([right ? 1 : 0])
                try #require(vector.rewards[0] == reward, words)
                try #require(vector.terminated[0] == (step == length + 8), words)
                #expect(!vector.truncated[0], words)
            }
            #expect(Array(vector.finalObservations) == (1...length).map { $0 <= s ? 1 : 0 })
        }
    }

    @Test(arguments: [3, 30, 100]) func theBestReturnIsTen(_ length: Int) throws {
        let vector = try VectorEnvironment(NChain(length: length), copies: 1, seed: 1)
        while vector.progress(of: 0).episode == 0 { try vector.step([1]) }
        #expect(vector.episodeReturns[0] == 10)
        #expect(vector.episodeLengths[0] == length + 8)
    }
}
