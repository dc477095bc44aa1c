import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct DoubleDQNTests {
    private static let explorations: [any Exploration] = [
        EpsilonGreedy(epsilon: 0.3), NoisyLayers(), ParameterNoise(target: 0.1, every: 10),
    ]

    /// A small agent.
    private static func settings(
        _ exploration: any Exploration = EpsilonGreedy(epsilon: 0.3),
        _ change: (inout DoubleDQN) -> Void = { _ in }
    ) -> DoubleDQN {
        var dqn = DoubleDQN()
        dqn.hidden = [16]
        dqn.batchSize = 32
        dqn.replayCapacity = 500
        dqn.learningStarts = 40
        dqn.trainEvery = 2
        dqn.targetEvery = 20
        dqn.exploration = NamedExploration(exploration)
        change(&dqn)
        return dqn
    }

    private static func learner<E: Environment>(
        _ settings: DoubleDQN, in environment: E = CartPole(), copies: Int = 2, seed: UInt64,
        steps: Int = 4000,
        rule: any UpdateRule = Adam(learningRate: 1e-3), perturbation: [any Perturbation] = []
    ) throws -> any Learner {
        try settings.makeLearner(
            LearnerSetup(
                copies: VectorEnvironment(environment, copies: copies, seed: seed),
                equation: PerturbedEquation(rule: rule, perturbation: perturbation), seed: seed,
                totalSteps: steps))
    }

    /// The values of a network [inputs, hidden, outputs] with relu, by plain loops in float64.
    private static func values(_ name: String, _ file: SafetensorsFile, _ x: [Float]) throws -> [Double] {
        func layer(_ place: Int, _ x: [Double]) throws -> [Double] {
            let weight = try #require(file["\(name).\(place).weight"])
            let (w, b) = (try weight.doubles(), try #require(file["\(name).\(place).bias"]).doubles())
            return b.indices.map { i in
                b[i] + x.indices.reduce(0) { $0 + w[i * x.count + $1] * x[$1] }
            }
        }
        return try layer(2, layer(0, x.map(Double.init)).map { max($0, 0) })
    }

    @Test func itsLossIsTheEquations() throws {
        // Here the two networks do not always choose alike.
        let seed: UInt64 = 4
        let learner = try Self.learner(
            Self.settings { $0.targetEvery = 1000 }, seed: seed, rule: Adam(learningRate: 0.01))
        let directory = try TemporaryDirectory()
        var report = LearnerReport()
        while learner.environmentSteps < 400 {
            try AgentFile.save(learner, to: directory.file("before"))
            report = try learner.advance()
        }
        try AgentFile.save(learner, to: directory.file("after"))
        let weights = try SafetensorsFile(contentsOf: directory.file("before"))
        let replay = try ReplayBuffer(capacity: 500, observationSize: 4, actionSize: 1)
        let after = try SafetensorsFile(contentsOf: directory.file("after"))
        try replay.restore(from: after)
        var batch = ReplayBatch(count: 32, observationSize: 4, actionSize: 1)
        let updates = try #require(after.metadata["updates"].flatMap(UInt64.init))
        #expect(updates > 5)
        replay.sample(
            into: &batch,
            key: NoiseKey(seed: seed).derived("doubleDQN").derived("replay").derived(updates - 1))
        var loss = 0.0
        var disagreements = 0
        for i in 0..<32 {
            let next = Array(batch.nextObservations[4 * i..<4 * i + 4])
            let own = try Self.values("q", weights, next)
            let valued = try Self.values("target", weights, next)
            let choice = own[1] > own[0] ? 1 : 0
            if valued[choice] < valued.max()! { disagreements += 1 }
            let y = Double(batch.rewards[i]) + 0.99 * Double(1 - batch.terminated[i]) * valued[choice]
            let q = try Self.values("q", weights, Array(batch.observations[4 * i..<4 * i + 4]))
            loss += pow(q[Int(batch.actions[i])] - y, 2) / 32
        }
        let metric = try #require(report.metrics.first { $0.name == "loss" }).value
        #expect(
            abs(metric - loss) < 1e-4 * loss, "\(metric) and \(loss), seed \(seed), \(disagreements) disagree"
        )
        #expect(disagreements > 0, "the networks never disagree: the choice is not tested; seed \(seed)")
    }

    @Test func theTargetNetworkFollowsInItsTime() throws {
        let learner = try Self.learner(
            Self.settings {
                $0.targetEvery = 30
                $0.trainEvery = 1
            }, seed: 2)
        func difference() throws -> Double {
            let (q, target) = (learner.networks[0].module, learner.networks[1].module)
            return zip(q.parameters, target.parameters).map {
                ($0.tensor.detached() - $1.tensor.detached()).absolute().max().item()
            }.max() ?? .nan
        }
        var last = 0.0
        for step in 1...120 {
            _ = try learner.advance()
            // Before the first update they are equal; a copy is made before the update of the same step.
            let gap = try difference()
            #expect(step <= 20 ? gap == 0 : gap > 0, "step \(step): \(gap)")
            if step > 40, step % 30 == 0 { #expect(gap < 0.3 * last, "step \(step): \(gap) after \(last)") }
            last = gap
        }
    }

    @Test(arguments: explorations.indices) func aRestoredAgentGoesOnToTheBit(_ index: Int) throws {
        let seed = SeededGenerator().seed
        func fresh() throws -> any Learner {
            try Self.learner(
                Self.settings(Self.explorations[index]), seed: seed, perturbation: [Gaussian(sigma: 0.01)])
        }
        func go(_ learner: any Learner, _ times: Int) throws {
            for _ in 0..<times { _ = try learner.advance() }
        }
        let (whole, half) = (try fresh(), try fresh())
        try go(whole, 150)
        try go(half, 75)
        let directory = try TemporaryDirectory()
        try AgentFile.save(half, to: directory.file("agent"))
        let resumed = try fresh()
        try AgentFile.load(resumed, from: directory.file("agent"))
        try go(resumed, 75)
        // One round more, so that the copies are seen to stand at the same place.
        try go(whole, 1)
        try go(resumed, 1)
        #expect(try AgentFile.differences(resumed, whole) == [], "exploration \(index), seed \(seed)")
        #expect(try AgentFile.differences(half, whole).count > 10)
    }

    /// ε as often as it says, over all actions alike.
    @Test func epsilonIsTheRateOfOtherActions() throws {
        let learner = try Self.learner(
            Self.settings(EpsilonGreedy(epsilon: 0.3)) {
                $0.learningStarts = 3000
                $0.replayCapacity = 3000
            }, in: NChain(length: 10), copies: 1, seed: 3)
        while learner.environmentSteps < 3000 { _ = try learner.advance() }
        let directory = try TemporaryDirectory()
        try AgentFile.save(learner, to: directory.file("agent"))
        let file = try SafetensorsFile(contentsOf: directory.file("agent"))
        let seen = try #require(file["replay.observations"]).floats()
        let taken = try #require(file["replay.actions"]).floats()
        var other = 0
        for i in taken.indices {
            let values = try Self.values("q", file, Array(seen[10 * i..<10 * i + 10]))
            if (values[1] > values[0] ? 1 : 0) != taken[i] { other += 1 }
        }
        // Half of the random actions are the best one: 0.15, with a standard deviation of 0.0065.
        #expect(abs(Double(other) / 3000 - 0.15) < 0.03, "\(other) of 3000")
    }

    @Test func noisyLayersSolveTheChain() throws {
        let learner = try Self.learner(
            Self.settings(NoisyLayers(sigma: 0.4)) {
                $0.hidden = [64]
                $0.discount = 0.999
                $0.replayCapacity = 10_000
                $0.learningStarts = 100
                $0.targetEvery = 100
                $0.trainEvery = 5
            }, in: NChain(length: 10), copies: 1, seed: 1, steps: 20_000)
        var totals: [Double] = []
        while learner.environmentSteps < 18_000 { totals += try learner.advance().episodes.map(\.total) }
        // The best return is 10; a random walk of 18 steps gets there in one of some 200 episodes.
        let inSuccession = totals.split { $0 < 9.9 }.map(\.count).max() ?? 0
        #expect(inSuccession >= 20, "\(inSuccession) of \(totals.count) episodes")
    }

    @Test func whatCannotBeLearntIsRefused() throws {
        func refused(_ words: String..., body: () throws -> Void) {
            let error = #expect(throws: (any Error).self) { try body() }
            for word in words { #expect("\(error as Any)".contains(word), "\(error as Any)") }
        }
        refused(
            "agent: is doubleDQN, which learns discrete actions", "'Pendulum-v1' are continuous",
            "allowed with it: ", "sac"
        ) { _ = try Self.learner(Self.settings(), in: Pendulum(), seed: 1) }
        refused("learningStarts: is 40; allowed: fewer than the run's 40 steps") {
            _ = try Self.learner(Self.settings(), seed: 1, steps: 40)
        }
        refused("exploration: is gSDE, which doubleDQN cannot use; allowed: epsilonGreedy, noisyLayers") {
            _ = try Self.learner(Self.settings(StateDependentExploration()), seed: 1)
        }
        refused("exploration.epsilonGreedy.epsilon: is 1.5") {
            _ = try Self.learner(Self.settings(EpsilonGreedy(epsilon: 1.5)), seed: 1)
        }
        refused("targetEvery: is 0; allowed: a whole number ≥ 1") {
            _ = try Self.learner(Self.settings { $0.targetEvery = 0 }, seed: 1)
        }
    }
}
