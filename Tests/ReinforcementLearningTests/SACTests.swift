import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import Safetensors
import TestSupport
import Testing
import Torch

@Suite struct SACTests {
    static let equation = PerturbedEquation(rule: Adam(learningRate: 3e-4))
    static let groups = [ParameterGroup(["critic*", "temperature.*"], rule: Adam(learningRate: 1e-3))]

    /// A small agent.
    private static func settings(_ change: (inout SAC) -> Void = { _ in }) -> SAC {
        var sac = SAC()
        sac.hidden = [24, 16]
        sac.batchSize = 32
        sac.replayCapacity = 500
        sac.learningStarts = 40
        change(&sac)
        return sac
    }

    private static func learner(
        _ settings: SAC, copies: Int = 2, seed: UInt64, steps: Int = 2000,
        equation: PerturbedEquation = Self.equation, groups: [ParameterGroup] = Self.groups
    ) throws -> any Learner {
        let environment = try VectorEnvironment(Pendulum(), copies: copies, seed: seed)
        return try settings.makeLearner(
            LearnerSetup(
                copies: environment, equation: equation, groups: groups, seed: seed, totalSteps: steps))
    }

    static let explorations: [(any Exploration)?] = [
        nil, StateDependentExploration(every: 8, logDeviation: -1), OrnsteinUhlenbeck(),
        ParameterNoise(every: 10),
    ]

    // MARK: The update

    /// One update as the equations say it, in PyTorch.
    private static let script = """
        import sys, torch
        import torch.nn.functional as F
        from safetensors.torch import load_file

        before, after, given = (load_file(p) for p in sys.argv[1:4])
        kind = sys.argv[4]
        w = {k: v.clone().requires_grad_() for k, v in before.items() if not k.startswith("replay")}

        def mlp(name, x, skip=0):
            for i in (0, 2, 4)[:3 - skip]:
                x = F.linear(x, w[f"{name}.{i}.weight"], w[f"{name}.{i}.bias"])
                if i < 4:
                    x = F.relu(x)
            return x

        def sample(s, xi):
            if kind == "gSDE":
                features = mlp("actor", s, skip=1)
                mean = F.hardtanh(mlp("actor", s), -2, 2)
                std = w["actor.exploration.log_std"].exp()
                sigma = ((features ** 2) @ (std ** 2) + 1e-6).sqrt()
                u = mean + features @ (std * xi)
            else:
                mean, raw = mlp("actor", s).chunk(2, dim=1)
                sigma = (-5 + 0.5 * 7 * (torch.tanh(raw) + 1)).exp()
                u = mean + sigma * xi
            a = torch.tanh(u)
            log = torch.distributions.Normal(mean, sigma).log_prob(u) - torch.log(1 - a ** 2 + 1e-9)
            return a, log.sum(1, keepdim=True)

        def minimum(names, s, a):
            return torch.min(*(mlp(n, torch.cat([s, a], 1)) for n in names))

        def adam(prefixes, rate):
            return torch.optim.Adam([v for k, v in w.items() if k.startswith(prefixes)], lr=rate)

        s, a, r, s2, over = (given["batch." + k] for k in ("s", "a", "r", "s2", "over"))
        with torch.no_grad():
            a2, log2 = sample(s2, given["noise.target"])
            y = r + 0.99 * (1 - over) * (minimum(("target1", "target2"), s2, a2) - w["temperature.log_alpha"].exp() * log2)
        optimizer = adam(("critic",), 1e-3)
        loss = sum(F.mse_loss(mlp(n, torch.cat([s, a], 1)), y) for n in ("critic1", "critic2"))
        loss.backward()
        optimizer.step()
        alpha = w["temperature.log_alpha"].exp().item()
        optimizer = adam(("actor",), 3e-4)
        pi, log = sample(s, given["noise.actor"])
        (alpha * log - minimum(("critic1", "critic2"), s, pi)).mean().backward()
        optimizer.step()
        optimizer = adam(("temperature",), 1e-3)
        (-w["temperature.log_alpha"].exp() * (log.detach() - 1)).mean().backward()
        optimizer.step()
        with torch.no_grad():
            for k in w:
                if k.startswith("target"):
                    w[k] += 0.005 * (w["critic" + k[6:]] - w[k])
        moved = max(float((after[k] - before[k]).abs().max()) for k in w)
        print(moved, max(float((after[k] - w[k]).abs().max()) for k in w))
        """

    @Test(arguments: [nil, StateDependentExploration(every: 8, logDeviation: -1)])
    func anUpdateIsThatOfPyTorch(_ exploration: StateDependentExploration?) throws {
        let seed = SeededGenerator().seed
        let learner = try Self.learner(
            Self.settings {
                $0.policyEvery = 1
                $0.exploration = exploration.map { NamedExploration($0) }
            }, seed: seed)
        let directory = try TemporaryDirectory()
        while learner.environmentSteps < 40 { _ = try learner.advance() }
        try SafetensorsFile.write(AgentFile.weights(learner), to: directory.file("before"))
        #expect(try learner.advance().metrics.count == 5)
        try AgentFile.save(learner, to: directory.file("after"))

        let replay = try ReplayBuffer(capacity: 500, observationSize: 3, actionSize: 1)
        try replay.restore(from: SafetensorsFile(contentsOf: directory.file("after")))
        var batch = ReplayBatch(count: 32, observationSize: 3, actionSize: 1)
        let key = NoiseKey(seed: seed).derived("sac")
        replay.sample(into: &batch, key: key.derived("replay").derived(0))
        func noise(_ purpose: String, step: Int) throws -> TensorEntry {
            let shape = exploration == nil ? [32, 1] : [16, 1]
            var values = [Float](repeating: 0, count: shape[0])
            var span = values.mutableSpan
            NoiseStream(key: key.derived(purpose), step: step, parameter: 0, term: 0).fill(
                &span, with: .normal)
            return try TensorEntry(
                name: "noise.\(purpose == "policy" ? "actor" : purpose)", shape: shape, floats: values)
        }
        try SafetensorsFile.write(
            [
                TensorEntry(name: "batch.s", shape: [32, 3], floats: batch.observations),
                TensorEntry(name: "batch.a", shape: [32, 1], floats: batch.actions),
                TensorEntry(name: "batch.r", shape: [32, 1], floats: batch.rewards),
                TensorEntry(name: "batch.s2", shape: [32, 3], floats: batch.nextObservations),
                TensorEntry(name: "batch.over", shape: [32, 1], floats: batch.terminated),
                noise("target", step: 0), noise("policy", step: 1),
            ].map { TensorSource($0) }, to: directory.file("given"))
        let words = try ParityPython.run(
            Self.script, directory.file("before").path, directory.file("after").path,
            directory.file("given").path, exploration == nil ? "own" : "gSDE")
        let numbers = words.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        try #require(numbers.count == 2, "\(words)")
        // Adam's first step moves each weight by the learning rate, whatever the gradient.
        #expect(numbers[0] > 9e-4)
        #expect(numbers[1] < 2e-6, "\(numbers), seed \(seed)")
    }

    // MARK: Learning

    @Test func itLearnsToSwingThePendulumUp() throws {
        let learner = try Self.learner(
            Self.settings {
                $0.hidden = [64, 64]
                $0.batchSize = 64
                $0.replayCapacity = 10_000
                $0.learningStarts = 500
            }, copies: 1, seed: 1, steps: 5000)
        var totals: [Double] = []
        while learner.environmentSteps < 5000 { totals += try learner.advance().episodes.map(\.total) }
        let (first, last) = (totals.prefix(5).reduce(0, +) / 5, totals.suffix(5).reduce(0, +) / 5)
        // Random actions get about −1200.
        #expect(first < -800 && last > -500, "\(totals.map { $0.rounded() })")
    }

    @Test(arguments: explorations.indices) func aRestoredAgentGoesOnToTheBit(_ index: Int) throws {
        let seed = SeededGenerator().seed
        let settings = Self.settings {
            $0.exploration = Self.explorations[index].map { NamedExploration($0) }
        }
        let noisy = PerturbedEquation(rule: Adam(learningRate: 1e-3), perturbation: Gaussian(sigma: 0.01))
        func fresh() throws -> any Learner {
            try Self.learner(settings, seed: seed, equation: noisy, groups: [])
        }
        func go(_ learner: any Learner, _ times: Int) throws {
            for _ in 0..<times { _ = try learner.advance() }
        }
        let (whole, half) = (try fresh(), try fresh())
        try go(whole, 130)
        try go(half, 65)
        let directory = try TemporaryDirectory()
        try AgentFile.save(half, to: directory.file("agent"))
        let resumed = try fresh()
        try AgentFile.load(resumed, from: directory.file("agent"))
        try go(resumed, 65)
        #expect(resumed.environmentSteps == 260)
        // One step more, so that the copies are seen to stand at the same place.
        try go(whole, 1)
        try go(resumed, 1)
        #expect(try AgentFile.differences(resumed, whole) == [], "exploration \(index), seed \(seed)")
        #expect(try AgentFile.differences(half, whole).count > 10)
    }

    @Test(arguments: explorations.indices) func actionsKeepTheEnvironmentsBounds(_ index: Int) throws {
        // Pendulum refuses actions outside −2 … 2, so that playing is the test; the policy itself is asked too.
        let learner = try Self.learner(
            Self.settings { $0.exploration = Self.explorations[index].map { NamedExploration($0) } }, seed: 3)
        for _ in 0..<60 { _ = try learner.advance() }
        var actions: [Float] = [9, 9]
        var span = actions.mutableSpan
        try learner.act(on: ([1, 0, 0, -1, 0, 8] as [Float]).span, count: 2, into: &span)
        #expect(actions.allSatisfy { abs($0) <= 2 } && actions[0] != actions[1], "\(actions)")
    }

    // MARK: Perturbed

    @Test func everyOptimizerTakesTheWholeEquation() throws {
        let equation = PerturbedEquation(
            rule: Adam(learningRate: 1e-3), parameterPerturbation: SAM(rho: 0.05),
            perturbation: [
                Gaussian(sigma: .relative(0.1)),
                CurvatureShaped(sigma: 0.01, source: .hessianDiagonal, exponent: -0.5),
            ])
        let learner = try Self.learner(
            Self.settings(), seed: 5, equation: equation,
            groups: [ParameterGroup(["temperature.*"], perturbation: [])])
        for _ in 0..<60 { _ = try learner.advance() }
        for (name, optimizer) in learner.optimizers {
            #expect(optimizer.core.counts.steps > 0 && optimizer.core.counts.skipped == 0, "\(name)")
            #expect(optimizer.core.evaluations.gradients == 2 * optimizer.core.counts.steps, "\(name)")
        }
    }

    @Test func aTermThatNeedsMicroBatchesIsRefused() throws {
        let equation = PerturbedEquation(rule: Adam(learningRate: 1e-3), perturbation: GradDrop())
        let learner = try Self.learner(Self.settings(), seed: 5, equation: equation, groups: [])
        refused("the signal positivePart, which is made of micro-batches, of which this step had 1") {
            for _ in 0..<60 { _ = try learner.advance() }
        }
    }

    // MARK: Bad input

    private func refused(_ words: String..., body: () throws -> Void) {
        let error = #expect(throws: (any Error).self) { try body() }
        for word in words { #expect("\(error as Any)".contains(word), "\(error as Any)") }
    }

    @Test func whatCannotBeLearntIsRefused() throws {
        refused("agent: is sac, which learns continuous actions", "'CartPole-v1' are discrete", "allowed") {
            _ = try Self.settings().makeLearner(
                LearnerSetup(
                    copies: VectorEnvironment(CartPole(), copies: 1, seed: 1), equation: Self.equation,
                    seed: 1,
                    totalSteps: 1000))
        }
        refused("learningStarts: is 40; allowed: fewer than the run's 40 steps") {
            _ = try Self.learner(Self.settings(), seed: 1, steps: 40)
        }
        refused("a replay buffer of 1000000000000 transitions needs") {
            _ = try Self.learner(Self.settings { $0.replayCapacity = 1_000_000_000_000 }, seed: 1)
        }
        refused("groups.1.parameters: is [\"critics.*\"]", "critic1.0.weight", "temperature.log_alpha") {
            _ = try Self.learner(
                Self.settings(), seed: 1,
                groups: Self.groups + [ParameterGroup(["critics.*"], perturbation: [])])
        }
        refused("groups.1.rule.adam.learningRate: is -1") {
            _ = try Self.learner(
                Self.settings(), seed: 1,
                groups: [
                    ParameterGroup(["actor.0.*"], perturbation: []),
                    ParameterGroup(["critic*"], rule: Adam(learningRate: -1)),
                ])
        }
        refused(
            "exploration: is noisyLayers, which sac cannot use; allowed: parameterNoise, ornsteinUhlenbeck, gSDE"
        ) {
            _ = try Self.learner(Self.settings { $0.exploration = NamedExploration(NoisyLayers()) }, seed: 1)
        }
        refused("exploration.gSDE.every: is 0") {
            _ = try Self.learner(
                Self.settings { $0.exploration = NamedExploration(StateDependentExploration(every: 0)) },
                seed: 1)
        }
        for (words, change) in [
            ("batchSize: is 0", { $0.batchSize = 0 }), ("targetRate: is 0.0", { $0.targetRate = 0 }),
            ("discount: is 1.5", { $0.discount = 1.5 }), ("hidden: is [0]", { $0.hidden = [0] }),
            ("temperature: is 0.0", { $0.temperature = 0 }),
        ] as [(String, (inout SAC) -> Void)] {
            refused(words) { _ = try Self.learner(Self.settings(change), seed: 1) }
        }
    }

    @Test func aStateOfOtherSettingsIsRefused() throws {
        let directory = try TemporaryDirectory()
        let plain = try Self.learner(Self.settings(), seed: 1)
        for _ in 0..<30 { _ = try plain.advance() }
        try AgentFile.save(plain, to: directory.file("agent"))
        let file = try SafetensorsFile(contentsOf: directory.file("agent"))
        refused("/agent: it has no state of sac") {
            try Self.learner(
                Self.settings { $0.exploration = NamedExploration(OrnsteinUhlenbeck()) }, seed: 1
            ).restore(file.metadata, from: file)
        }
        refused("/agent: the state of sac is damaged") {
            try Self.learner(Self.settings(), seed: 1).restore(
                file.metadata.merging(["steps": "many"]) { $1 }, from: file)
        }
        refused("/agent: ", "it has 60 transitions; allowed: up to the capacity of 10") {
            try Self.learner(Self.settings { $0.replayCapacity = 10 }, seed: 1).restore(
                file.metadata, from: file)
        }
        refused("it is of seed 1, not 2") {
            try Self.learner(Self.settings(), seed: 2).restore(file.metadata, from: file)
        }
    }
}
