import Foundation
import ReinforcementLearning
import TestSupport
import Testing

@Suite struct NormaliserTests {
    /// In batches of any size the moments are those of all rows at once.
    @Test func momentsAreThoseOfAllRows() throws {
        var generator = SeededGenerator()
        let (rows, size) = (500, 3)
        let values = (0..<rows * size).map { i in
            Float.random(in: -1...1, using: &generator) * Float(i % size + 1) + 100 * Float(i % size)
        }
        var moments = RunningMoments(size: size)
        var place = 0
        while place < rows {
            let count = min(Int.random(in: 1...40, using: &generator), rows - place)
            let part = Array(values[place * size..<(place + count) * size])
            moments.add(part.span)
            place += count
        }
        for element in 0..<size {
            let own = (0..<rows).map { Double(values[$0 * size + element]) }
            let mean = own.reduce(0, +) / Double(rows)
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
            // It begins with a row of weight 10⁻⁴ at 0, which adds μ²·10⁻⁴/n to the variance.
            #expect(
                abs(moments.mean[element] - mean) < 1e-3, "PEO_TEST_SEED=\(generator.seed)")
            #expect(
                abs(moments.variance[element] - variance) < 1e-2 * variance,
                "PEO_TEST_SEED=\(generator.seed)")
        }
    }

    /// The same numbers as Gymnasium's wrappers give for one environment.
    @Test func theyAreGymnasiums() throws {
        let rewards: [Float] = [1, -2, 0.5, 3, 0, 0, -1, 7, 2, 2]
        let over = [false, false, true, false, false, false, false, true, false, false]
        let text = try ParityPython.run(
            """
            import json, sys
            import numpy as np
            import gymnasium as gym
            rewards, over = json.loads(sys.argv[1]), json.loads(sys.argv[2])
            class Given(gym.Env):
                observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
                action_space = gym.spaces.Discrete(2)
                def reset(self, seed=None, options=None):
                    return np.array([2.0]), {}
                def step(self, action):
                    i = action
                    return np.array([rewards[i] * 3 + 1]), rewards[i], over[i], False, {}
            env = gym.wrappers.NormalizeReward(gym.wrappers.NormalizeObservation(Given()), gamma=0.9)
            seen, paid = [], []
            seen.append(float(env.reset()[0][0]))
            for i in range(len(rewards)):
                o, r, *_ = env.step(i)
                seen.append(float(np.clip(o[0], -10, 10))); paid.append(float(np.clip(r, -10, 10)))
            print(json.dumps([seen, paid]))
            """, "\(rewards)", "\(over)", with: "gymnasium")
        let answer = try JSONDecoder().decode([[Double]].self, from: Data(text.utf8))
        var observing = ObservationNormaliser(size: 1)
        var seen: [Double] = []
        for x in [2] + rewards.map({ $0 * 3 + 1 }) {
            var row = [x]
            observing.add(row.span)
            var span = row.mutableSpan
            observing.normalise(&span)
            seen.append(Double(row[0]))
        }
        var paying = RewardNormaliser(discount: 0.9, copies: 1)
        var paid: [Double] = []
        for (reward, over) in zip(rewards, over) {
            var row = [reward]
            let ends = [over]
            var span = row.mutableSpan
            paying.normalise(&span, terminated: ends.span)
            paid.append(Double(row[0]))
        }
        for (own, other) in zip(seen + paid, answer[0] + answer[1]) {
            #expect(abs(own - other) < 1e-4 * max(1, abs(other)), "\(seen) \(paid) \(answer)")
        }
    }

    @Test func valuesEndAtTen() {
        var observing = ObservationNormaliser(size: 1)
        let small: [Float] = [0, 0.001, -0.001, 0]
        observing.add(small.span)
        var far: [Float] = [1e6, -1e6]
        var span = far.mutableSpan
        observing.normalise(&span)
        #expect(far == [10, -10])
    }
}
