import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import TestSupport
import Testing
import Torch

/// PPO whose noise is a function of the state.
@Suite struct StateDependentPPOTests {
    private static let rows = 4
    private static let features = 5

    /// Means and features of some rows, actions, and log σ.
    private static func numbers(_ seed: UInt64) throws -> (outputs: Tensor, actions: Tensor, logs: Tensor) {
        (
            try Tensor.normal([rows, 2 + features], seed: seed),
            try Tensor.normal([rows, 2], seed: seed &+ 1),
            try Tensor.normal([features, 2], mean: -0.5, deviation: 0.5, seed: seed &+ 2)
        )
    }

    private static func distribution(
        _ logs: Tensor, every: Int = 4, rolloutLength: Int = 10
    ) throws -> (StateDependentGaussian, StateDependentNoise) {
        let noise = try StateDependentNoise(features: logs.size(0), actions: logs.size(1), logDeviation: 0)
        withoutGradients { noise.logDeviation.copy(from: logs) }
        return (StateDependentGaussian(noise, every: every, rolloutLength: rolloutLength), noise)
    }

    /// Densities, entropy and the gradients of μ and log σ; none of the features.
    @Test func itIsTorchDistributions() throws {
        let seed = SeededGenerator().seed
        let (outputs, actions, logs) = try Self.numbers(seed)
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode([outputs, actions, logs].map { try $0.array(of: Float.self) }).write(
            to: directory.file("in.json"))
        let text = try ParityPython.run(
            """
            import json, sys, torch
            o, a, l = [torch.tensor(x) for x in json.load(open(sys.argv[1]))]
            o, a, l = o.view(4, 7), a.view(4, 2), l.view(5, 2)
            mean, phi = o[:, :2].clone().requires_grad_(), o[:, 2:]
            l.requires_grad_()
            p = torch.distributions.Normal(mean, (phi ** 2 @ l.exp() ** 2 + 1e-6).sqrt())
            log, entropy = p.log_prob(a).sum(1), p.entropy().sum(1).mean()
            (log.sum() + entropy).backward()
            print(json.dumps([x.flatten().tolist() for x in (log, entropy, mean.grad, l.grad)]))
            """, directory.file("in.json").path)
        let answers = try JSONDecoder().decode([[Float]].self, from: Data(text.utf8))
        let (distribution, noise) = try Self.distribution(logs)
        let mean = outputs.narrowed(1, to: 0..<2).cloned().requiringGradient()
        let all = Tensor.concatenated([mean, outputs.narrowed(1, to: 2..<7)], along: 1)
        let (log, entropy) = distribution.evaluate(actions, under: all)
        try (log.sum() + entropy).backward()
        let found = try [log, entropy, mean.gradient!, noise.logDeviation.gradient!].map {
            try $0.array(of: Float.self)
        }
        for (own, other) in zip(found, answers) {
            #expect(own.count == other.count)
            for (a, b) in zip(own, other) {
                #expect(abs(a - b) < 1e-4 * max(1, abs(b)), "\(own) and \(other), seed \(seed)")
            }
        }
    }

    /// Noise is held within a rollout, each copy has its own, and it has the variance that the density says.
    @Test func drawsAreHeldAndHaveTheirVariance() throws {
        let (outputs, _, logs) = try Self.numbers(3)
        let (distribution, noise) = try Self.distribution(logs)
        let row = Array(try outputs.array(of: Float.self)[..<7])
        func noises(_ step: Int, rows: Int = 2) -> [Float] {
            let rowsOfOutputs = (0..<rows).flatMap { _ in row }
            var actions = [Float](repeating: 0, count: 2 * rows)
            var span = actions.mutableSpan
            distribution.sample(rowsOfOutputs.span, key: NoiseKey(seed: 8), step: step, into: &span)
            for i in actions.indices { actions[i] -= row[i % 2] }
            return actions
        }
        let all = (0..<30).map { noises($0) }
        for step in 1..<30 {
            // Anew at 0, 4 and 8 of each ten steps.
            #expect((all[step] == all[step - 1]) == ![0, 4, 8].contains(step % 10), "step \(step)")
        }
        #expect(Array(all[0][..<2]) != Array(all[0][2...]))
        let many = noises(0, rows: 20_000)
        let variance = noise.variance(outputs.narrowed(0, to: 0..<1).narrowed(1, to: 2..<7))
        for action in 0..<2 {
            let own = stride(from: action, to: many.count, by: 2).map { Double(many[$0]) }
            let seen = own.reduce(0) { $0 + $1 * $1 } / Double(own.count)
            let said = variance.narrowed(1, to: action..<action + 1).item()
            #expect(abs(seen / said - 1) < 0.05, "\(seen) and \(said)")
        }
        var modes: [Float] = [9, 9]
        var span = modes.mutableSpan
        distribution.mode(row.span, into: &span)
        #expect(modes == Array(row[..<2]))
    }

    private static func learner(_ seed: UInt64) throws -> any Learner {
        var settings = PPO()
        settings.rolloutLength = 64
        settings.hidden = [16]
        settings.entropyCoefficient = 0
        settings.exploration = NamedExploration(StateDependentExploration(every: 4, logDeviation: -1))
        return try PPOTests.learner(Copying(isContinuous: true), settings, seed: seed, rate: 1e-2)
    }

    @Test func itLearnsWhatPaysAndLessNoise() throws {
        let learner = try Self.learner(1)
        let first = try PPOTests.meanReturn(learner, advances: 1)
        let last = try PPOTests.meanReturn(learner, advances: 40)
        #expect(last > -0.05 && last > first + 0.1, "\(first), then \(last)")
    }

    @Test func aRestoredAgentGoesOnToTheBit() throws {
        let seed = SeededGenerator().seed
        let (whole, half) = (try Self.learner(seed), try Self.learner(seed))
        for _ in 0..<4 { _ = try whole.advance() }
        for _ in 0..<2 { _ = try half.advance() }
        let directory = try TemporaryDirectory()
        try AgentFile.save(half, to: directory.file("agent"))
        let resumed = try Self.learner(seed)
        try AgentFile.load(resumed, from: directory.file("agent"))
        for _ in 0..<2 { _ = try resumed.advance() }
        #expect(try AgentFile.differences(resumed, whole) == [], "seed \(seed)")
        #expect(try AgentFile.differences(half, whole).count > 4)
    }
}
