import Foundation
import ReinforcementLearning
import TestSupport
import Testing

@Suite struct GeneralizedAdvantageTests {
    private struct Rollout: Codable {
        var steps: Int
        var copies: Int
        var discount: Float
        var lambda: Float
        var rewards, values, finalValues: [Float]
        var terminated, truncated: [Bool]

        init(steps: Int, copies: Int, discount: Float, lambda: Float, using generator: inout SeededGenerator)
        {
            self.steps = steps
            self.copies = copies
            self.discount = discount
            self.lambda = lambda
            let count = steps * copies
            func numbers(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
                (0..<count).map { _ in Float.random(in: -2...2, using: &generator) }
            }
            rewards = numbers(count, &generator)
            values = numbers(count + copies, &generator)
            finalValues = numbers(count, &generator)
            terminated = (0..<count).map { _ in Int.random(in: 0..<7, using: &generator) == 0 }
            truncated = (0..<count).map { _ in Int.random(in: 0..<7, using: &generator) == 0 }
        }

        var advantages: [Float] {
            var result = [Float](repeating: .nan, count: rewards.count)
            var span = result.mutableSpan
            GeneralizedAdvantage(discount: discount, lambda: lambda).estimate(
                rewards: rewards.span, values: values.span, finalValues: finalValues.span,
                terminated: terminated.span, truncated: truncated.span, copies: copies, into: &span)
            return result
        }
    }

    /// A = Σₖ (γλ)ᵏ·δ, summed forward in float64 for each step on its own.
    private static let script = """
        import json, sys
        import numpy as np
        answers = []
        for r in json.load(open(sys.argv[1])):
            T, n, g, l = r["steps"], r["copies"], r["discount"], r["lambda"]
            reward = np.array(r["rewards"]).reshape(T, n)
            value = np.array(r["values"]).reshape(T + 1, n)
            final = np.array(r["finalValues"]).reshape(T, n)
            over = np.array(r["terminated"]).reshape(T, n)
            cut = np.array(r["truncated"]).reshape(T, n)
            following = np.where(over, 0, np.where(cut, final, value[1:]))
            delta = reward + g * following - value[:-1]
            A = np.zeros((T, n))
            for t in range(T):
                for i in range(n):
                    for k in range(t, T):
                        A[t, i] += (g * l) ** (k - t) * delta[k, i]
                        if over[k, i] or cut[k, i]:
                            break
            answers.append(A.ravel().tolist())
        json.dump(answers, open(sys.argv[2], "w"))
        """

    @Test func itIsTheSumOfItsDefinition() throws {
        var generator = SeededGenerator()
        let seed = generator.seed
        let rollouts = [(1, 1), (1, 5), (40, 1), (32, 4)].flatMap { steps, copies in
            [(0.99, 0.95), (1, 1), (0.9, 0)].map { discount, lambda in
                Rollout(
                    steps: steps, copies: copies, discount: discount, lambda: lambda, using: &generator)
            }
        }
        let expected: [[Double]] = try runPython(script: Self.script, input: rollouts)
        for (rollout, expected) in zip(rollouts, expected) {
            let advantages = rollout.advantages
            try #require(advantages.count == expected.count)
            for (a, b) in zip(advantages, expected) {
                #expect(
                    abs(Double(a) - b) < 1e-4, "\(rollout.steps)×\(rollout.copies), seed \(seed): \(a), \(b)")
            }
        }
    }

    @Test func withLambdaOneAndNoEndItIsTheReturnLessTheValue() {
        var generator = SeededGenerator(seed: 3)
        var rollout = Rollout(steps: 10, copies: 1, discount: 1, lambda: 1, using: &generator)
        rollout.terminated = [Bool](repeating: false, count: 10)
        rollout.truncated = rollout.terminated
        let advantages = rollout.advantages
        for t in 0..<10 {
            let total = rollout.rewards[t...].reduce(0, +) + rollout.values[10]
            #expect(abs(advantages[t] - (total - rollout.values[t])) < 1e-4)
        }
    }
}
