import Foundation
import TestSupport
import Testing

/// The environments against Gymnasium's, from the same states with the same actions.
@Suite struct GymnasiumTests {
    /// Replays episodes in Gymnasium, and draws first observations.
    private static let script = """
        import json, sys
        import numpy as np
        import gymnasium as gym

        def finite(values):
            return [float(v) if np.isfinite(v) else None for v in values]

        outcomes = []
        for case in json.load(open(sys.argv[1])):
            env = gym.make(case["name"], disable_env_checker=True, **case["settings"])
            # The double pendulum begins in float32, as its reset has it.
            first = np.float32 if case["name"].startswith("Acrobot") else np.float64
            discrete = isinstance(env.action_space, gym.spaces.Discrete)
            episodes = []
            for episode in case["episodes"]:
                env.reset(seed=0)
                rows = []
                for i, (state, action) in enumerate(zip(episode["states"], episode["actions"])):
                    if state is not None:
                        env.unwrapped.state = np.array(state, dtype=first if i == 0 else np.float64)
                    a = int(action[0]) if discrete else np.array(action, dtype=np.float32)
                    o, r, terminated, truncated, _ = env.step(a)
                    rows.append([float(v) for v in o] + [float(r), float(terminated), float(truncated)])
                episodes.append(rows)
            env.reset(seed=1)
            space = env.action_space
            outcomes.append({
                "episodes": episodes,
                "starts": [[float(v) for v in env.reset()[0]] for _ in range(case["resets"])],
                "low": finite(env.observation_space.low), "high": finite(env.observation_space.high),
                "actions": [float(space.n)] if discrete else [float(space.low[0]), float(space.high[0])],
                "timeLimit": env.spec.max_episode_steps})
        json.dump(outcomes, open(sys.argv[2], "w"))
        """

    @Test func trajectoriesSpacesAndStartsAreGymnasiums() throws {
        var generator = SeededGenerator()
        let seed = generator.seed
        let played = try GymnasiumCase.all.map { try $0.play(4000, &generator) }
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode(played.map(\.0)).write(to: directory.file("input.json"))
        _ = try ParityPython.run(
            Self.script, directory.file("input.json").path, directory.file("output.json").path,
            with: "gymnasium")
        let theirs = try JSONDecoder().decode(
            [GymnasiumCase.Outcome].self, from: Data(contentsOf: directory.file("output.json")))
        try #require(theirs.count == played.count)
        for (one, ((_, ours), theirs)) in zip(GymnasiumCase.all, zip(played, theirs)) {
            #expect(ours.low == theirs.low && ours.high == theirs.high, "\(one): observation space")
            #expect(ours.actions == theirs.actions, "\(one): action space")
            #expect(ours.timeLimit == theirs.timeLimit, "\(one): time limit")
            compare(ours.episodes, theirs.episodes, "\(one), seed \(seed)")
            compareStarts(ours.starts, theirs.starts, "\(one), seed \(seed)")
        }
    }

    private func compare(_ ours: [[[Double]]], _ theirs: [[[Double]]], _ name: String) {
        var largest = 0.0
        var terminations = 0
        var truncations = 0
        for (episode, pair) in zip(ours, theirs).enumerated() {
            for (step, (our, their)) in zip(pair.0, pair.1).enumerated() {
                // The two ends agree exactly, and the numbers to 1e-6.
                if our.suffix(2) != their.suffix(2) || our.count != their.count {
                    Issue.record("\(name), episode \(episode), step \(step): \(our), theirs \(their)")
                    return
                }
                for (a, b) in zip(our, their) { largest = max(largest, abs(a - b)) }
            }
            #expect(pair.0.count == pair.1.count, "\(name)")
            terminations += pair.1.last?[pair.1[0].count - 2] == 1 ? 1 : 0
            truncations += pair.1.last?.last == 1 ? 1 : 0
        }
        #expect(largest <= 1e-6, "\(name): \(largest)")
        #expect(ours.joined().count >= 4000)
        // Both ends have been met, where there are both.
        #expect(terminations > 0 || name.hasPrefix("Pendulum"), "\(name)")
        #expect(truncations > 0, "\(name)")
        if ProcessInfo.processInfo.environment["PEO_TEST_VERBOSE"] != nil {
            print(name, "largest difference \(largest), \(terminations) terminated, \(truncations) truncated")
        }
    }

    /// Range and first two moments of each element, to six standard errors of the difference.
    private func compareStarts(_ ours: [[Double]], _ theirs: [[Double]], _ name: String) {
        let n = Double(ours.count)
        #expect(ours.count == theirs.count)
        for i in ours[0].indices {
            let (a, b) = (ours.map { $0[i] }, theirs.map { $0[i] })
            let width = b.max()! - b.min()!
            #expect(
                abs(a.min()! - b.min()!) <= 0.01 * width && abs(a.max()! - b.max()!) <= 0.01 * width,
                "\(name) \(i)")
            for power in [1.0, 2.0] {
                let (x, y) = (a.map { pow($0, power) }, b.map { pow($0, power) })
                let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
                let variance = y.map { ($0 - meanY) * ($0 - meanY) }.reduce(0, +) / n
                #expect(
                    abs(meanX - meanY) <= 6 * (2 * variance / n).squareRoot() + 1e-7,
                    "\(name) \(i): moment \(power): \(meanX), theirs \(meanY)")
            }
        }
    }
}
