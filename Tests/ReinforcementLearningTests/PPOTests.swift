import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import TestSupport
import Testing
import Torch
import TorchNN

/// One step: the action that the observation names is paid 1, others 0; or for continuous actions, −(a − s)².
struct Copying: Environment {
    var isContinuous = false

    var observationSpace: BoxSpace { BoxSpace(count: 3, in: 0...1) }
    var actionSpace: ActionSpace {
        isContinuous ? .continuous(BoxSpace(count: 1, in: -1...1)) : .discrete(3)
    }

    func initialState(_ noise: EpisodeNoise) -> Int { Int(noise.uniform() * 3) }
    func observe(_ place: Int, into observation: inout MutableSpan<Float>) {
        for i in 0..<3 { observation[i] = i == place ? 1 : 0 }
    }
    func step(_ place: inout Int, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        let wanted = isContinuous ? Double(place) * 0.5 - 0.5 : Double(place)
        let distance = Double(action[0]) - wanted
        return Transition(
            reward: isContinuous ? -distance * distance : distance == 0 ? 1 : 0, terminated: true)
    }
}

/// Gives a reward that is no number after some steps.
struct BrokenReward: Environment {
    var observationSpace: BoxSpace { BoxSpace(count: 1, in: 0...1) }
    var actionSpace: ActionSpace { .discrete(2) }
    func initialState(_ noise: EpisodeNoise) -> Int { 0 }
    func observe(_ step: Int, into observation: inout MutableSpan<Float>) { observation[0] = 0 }
    func step(_ step: inout Int, action: Span<Float>, noise: EpisodeNoise) -> Transition {
        step += 1
        return Transition(reward: step == 5 ? .nan : 0)
    }
}

@Suite struct PPOTests {
    static func learner(
        _ environment: some Environment, _ settings: PPO, copies: Int = 8, seed: UInt64 = 1,
        rate: Double = 3e-3, perturbation: [any Perturbation] = [], steps: Int = 100_000
    ) throws -> any Learner {
        try settings.makeLearner(
            LearnerSetup(
                copies: VectorEnvironment(environment, copies: copies, seed: seed),
                equation: PerturbedEquation(
                    rule: Adam(learningRate: Scheduled(rate)), perturbation: perturbation,
                    stability: Stability(clipGlobalNorm: 0.5)),
                seed: seed, totalSteps: steps))
    }

    /// The mean return of the last episodes of a learner that has advanced.
    static func meanReturn(_ learner: any Learner, advances: Int) throws -> Double {
        var last: [Double] = []
        for _ in 0..<advances { last = try learner.advance().episodes.map(\.total) }
        return last.reduce(0, +) / Double(last.count)
    }

    @Test func itLearnsWhatPays() throws {
        var settings = PPO()
        settings.rolloutLength = 16
        settings.hidden = [16]
        let discrete = try Self.meanReturn(Self.learner(Copying(), settings), advances: 60)
        #expect(discrete > 0.9, "chance is 1/3")
        settings.entropyCoefficient = 0
        let continuous = try Self.meanReturn(
            Self.learner(Copying(isContinuous: true), settings, rate: 1e-2), advances: 60)
        #expect(continuous > -0.2, "the mean of all is −1/6 without exploration's own variance of about 0.6")
    }

    @Test func gradientNoiseAndNormalisersGoWithIt() throws {
        var settings = PPO()
        settings.rolloutLength = 16
        settings.hidden = [16]
        settings.normaliseObservations = true
        settings.normaliseRewards = true
        settings.robustPolicy = 0.1
        let learner = try Self.learner(
            Copying(isContinuous: true), settings, rate: 1e-2, perturbation: [Gaussian(sigma: 0.01)])
        let report = try learner.advance()
        #expect(
            report.metrics.map(\.name) == [
                "policyLoss", "valueLoss", "entropy", "approximateKL", "clipFraction", "explainedVariance",
                "learningRate", "sigma",
            ])
        #expect(report.metrics.allSatisfy { $0.value.isFinite }, "\(report.metrics)")
        #expect(learner.environmentSteps == 128 && report.episodes.count == 128)
        #expect(try Self.meanReturn(learner, advances: 80) > -0.2)
    }

    /// α of RPO changes the update, and nothing of what was done before the first.
    @Test func robustPolicyIsInTheUpdateOnly() throws {
        func run(_ alpha: Double) throws -> ([Double], [[Float]]) {
            var settings = PPO()
            settings.rolloutLength = 8
            settings.hidden = [8]
            settings.robustPolicy = alpha
            let learner = try Self.learner(Copying(isContinuous: true), settings)
            let totals = try learner.advance().episodes.map(\.total)
            let weights = try learner.networks.flatMap { $0.module.parameters }.map {
                try $0.tensor.detached().array(of: Float.self)
            }
            return (totals, weights)
        }
        let (plain, robust) = try (run(0), run(0.5))
        #expect(plain.0 == robust.0)
        #expect(plain.1 != robust.1)
        #expect(try run(0.5).1 == robust.1)
    }

    /// The loss and its gradients are PyTorch's, for a program as CleanRL writes it.
    @Test(arguments: [true, false]) func theObjectiveIsPyTorchs(clipsValues: Bool) throws {
        var generator = SeededGenerator()
        let count = 64
        func numbers(_ scale: Float) -> [Float] {
            (0..<count).map { _ in Float.random(in: -scale...scale, using: &generator) }
        }
        let inputs = ["new", "old", "advantages", "values", "oldValues", "returns"].map { ($0, numbers(1)) }
        var settings = PPO()
        settings.clipValueLoss = clipsValues
        let tensors = try Dictionary(
            uniqueKeysWithValues: inputs.map { ($0.0, try Tensor($0.1, shape: [count, 1])) })
        let (new, values) = (
            tensors["new"]!.requiringGradient(), tensors["values"]!.requiringGradient()
        )
        let objective = settings.objective(
            logProbabilities: new, old: tensors["old"]!, advantages: tensors["advantages"]!,
            entropy: new.mean(), values: values, oldValues: tensors["oldValues"]!,
            returns: tensors["returns"]!)
        try objective.loss.backward()
        let move = PolicyMove(logRatio: objective.logRatio.detached(), clip: settings.clip)

        struct Answer: Codable {
            var loss, kl, clipped: Double
            var new, values: [Float]
        }
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: inputs)).write(
            to: directory.file("in.json"))
        let text = try ParityPython.run(
            """
            import json, sys, torch
            d = {k: torch.tensor(v) for k, v in json.load(open(sys.argv[1])).items()}
            new, values = d["new"].requires_grad_(), d["values"].requires_grad_()
            logratio = new - d["old"]
            ratio = logratio.exp()
            with torch.no_grad():
                approx_kl = ((ratio - 1) - logratio).mean()
                clipfrac = ((ratio - 1.0).abs() > 0.2).float().mean()
            pg_loss = torch.max(-d["advantages"] * ratio, -d["advantages"] * torch.clamp(ratio, 0.8, 1.2)).mean()
            if sys.argv[2] == "true":
                unclipped = (values - d["returns"]) ** 2
                clipped = d["oldValues"] + torch.clamp(values - d["oldValues"], -0.2, 0.2)
                v_loss = 0.5 * torch.max(unclipped, (clipped - d["returns"]) ** 2).mean()
            else:
                v_loss = 0.5 * ((values - d["returns"]) ** 2).mean()
            loss = pg_loss - 0.01 * new.mean() + v_loss * 0.5
            loss.backward()
            print(json.dumps({"loss": loss.item(), "kl": approx_kl.item(), "clipped": clipfrac.item(),
                              "new": new.grad.tolist(), "values": values.grad.tolist()}))
            """, directory.file("in.json").path, "\(clipsValues)")
        let answer = try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
        #expect(abs(objective.loss.item() - answer.loss) < 1e-6, "PEO_TEST_SEED=\(generator.seed)")
        #expect(abs(move.approximateKL - answer.kl) < 1e-6 && abs(move.clipFraction - answer.clipped) < 1e-6)
        for (own, other) in [(new, answer.new), (values, answer.values)] {
            let gradient = try #require(own.gradient).array(of: Float.self)
            for (a, b) in zip(gradient, other) {
                #expect(abs(a - b) < 1e-6, "PEO_TEST_SEED=\(generator.seed)")
            }
        }
    }

    @Test func distributionsArePyTorchs() throws {
        var generator = SeededGenerator()
        let outputs = (0..<12).map { _ in Float.random(in: -2...2, using: &generator) }
        let actions = (0..<12).map { _ in Float.random(in: -2...2, using: &generator) }
        let choices: [Float] = [0, 2, 1, 2]
        let deviations: [Float] = [-0.5, 0.2, 0]
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode([outputs, actions, choices, deviations]).write(
            to: directory.file("in.json"))
        let text = try ParityPython.run(
            """
            import json, sys, torch
            from torch.distributions import Categorical, Normal
            o, a, c, s = [torch.tensor(x) for x in json.load(open(sys.argv[1]))]
            o, a = o.view(4, 3), a.view(4, 3)
            p, q = Categorical(logits=o), Normal(o, s.exp().expand(4, 3))
            print(json.dumps([p.log_prob(c).tolist(), [p.entropy().mean().item()],
                              q.log_prob(a).sum(1).tolist(), [q.entropy().sum(1).mean().item()]]))
            """, directory.file("in.json").path)
        let answers = try JSONDecoder().decode([[Float]].self, from: Data(text.utf8))
        let rows = try Tensor(outputs, shape: [4, 3])
        let categorical = Categorical(choices: 3)
        let gaussian = DiagonalGaussian(logDeviation: try Tensor(deviations, shape: [1, 3]))
        let (first, firstEntropy) = categorical.evaluate(
            try categorical.tensor(choices, count: 4), under: rows)
        let (second, secondEntropy) = gaussian.evaluate(
            try gaussian.tensor(actions, count: 4), under: rows)
        let found = try [
            first.array(of: Float.self), [Float(firstEntropy.item())], second.array(of: Float.self),
            [Float(secondEntropy.item())],
        ]
        for (own, other) in zip(found, answers) {
            #expect(own.count == other.count)
            for (a, b) in zip(own, other) {
                #expect(abs(a - b) < 1e-5, "\(own) \(other) PEO_TEST_SEED=\(generator.seed)")
            }
        }
    }

    /// Draws have the distribution's own frequencies, and its mean and deviation.
    @Test func drawsFollowTheDistribution() throws {
        let rows = 20_000
        let key = NoiseKey(seed: 5)
        let logits: [Float] = [0, 1, -1]
        var actions = [Float](repeating: 0, count: rows)
        func draw(_ outputs: [Float], _ distribution: any PolicyDistribution) {
            var span = actions.mutableSpan
            distribution.sample(outputs.span, key: key, step: 3, into: &span)
        }
        draw((0..<rows).flatMap { _ in logits }, Categorical(choices: 3))
        let total = logits.reduce(0) { $0 + exp(Double($1)) }
        for choice in 0..<3 {
            let share = Double(actions.count { $0 == Float(choice) }) / Double(rows)
            #expect(abs(share - exp(Double(logits[choice])) / total) < 0.015, "choice \(choice): \(share)")
        }
        draw(
            [Float](repeating: 0.3, count: rows),
            DiagonalGaussian(logDeviation: try Tensor([Float(-0.7)], shape: [1, 1])))
        let mean = actions.reduce(0) { $0 + Double($1) } / Double(rows)
        let variance = actions.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(rows)
        #expect(abs(mean - 0.3) < 0.02 && abs(variance.squareRoot() - exp(-0.7)) < 0.02)
    }

    /// An update that goes too far is taken back to the bit, with less noise; after some in a row the run is given up.
    @Test func anUpdateThatGoesTooFarIsTakenBack() throws {
        var settings = PPO()
        settings.rolloutLength = 16
        settings.hidden = [8]
        settings.rollbackOn = UpdateGuard(approximateKL: 0.05, attempts: 2)
        func weights(_ learner: any Learner) throws -> [[Float]] {
            try learner.networks.flatMap { $0.module.parameters }.map {
                try $0.tensor.detached().array(of: Float.self)
            }
        }
        let wild = try Self.learner(
            Copying(), settings, rate: 3, perturbation: [Gaussian(sigma: 0.01)])
        let first = try weights(wild)
        let core = try #require(wild.optimizers.first).optimizer.core
        for attempt in 1...2 {
            let report = try wild.advance()
            #expect(report.metrics.last?.name == "rolledBack" && report.metrics.last?.value == 1)
            #expect(try weights(wild) == first)
            #expect(core.counts.rolledBack == attempt && core.step == 16 * attempt)
            #expect(core.strengthFactor == pow(0.5, Double(attempt)))
        }
        let error = #expect(throws: LearnerDivergence.self) { try wild.advance() }
        #expect(error?.message.contains("the approximate KL of an update was") == true, "\(error as Any)")
        #expect(try weights(wild) == first)

        let calm = try Self.learner(Copying(), settings, rate: 1e-4)
        let before = try weights(calm)
        #expect(try calm.advance().metrics.last?.value == 0)
        #expect(try weights(calm) != before)
    }

    @Test func whatDoesNotFitIsRefusedByName() throws {
        func words(_ environment: some Environment, _ change: (inout PPO) -> Void) -> String {
            var settings = PPO()
            change(&settings)
            do {
                _ = try Self.learner(environment, settings, copies: 2)
                return "nothing"
            } catch { return "\(error)" }
        }
        #expect(
            words(Copying()) {
                $0.rolloutLength = 4
                $0.minibatches = 9
            }
                == "agent.ppo.minibatches: is 9; allowed: at most 8, the 4 steps of a rollout in 2 copies")
        #expect(
            words(CartPole()) { $0.robustPolicy = 0.5 }
                == "agent.ppo.robustPolicy: is 0.5; allowed: 0 with CartPole-v1, whose actions are discrete")
        #expect(words(Copying()) { $0.clip = 1 }.contains("clip: is 1.0; allowed"))
        #expect(
            words(CartPole()) { $0.exploration = NamedExploration(StateDependentExploration()) }
                == "agent.ppo.exploration: is gSDE; allowed: none with CartPole-v1, whose actions are discrete"
        )
        #expect(
            words(Pendulum()) { $0.exploration = NamedExploration(OrnsteinUhlenbeck()) }
                == "agent.ppo.exploration: is ornsteinUhlenbeck, which ppo cannot use; allowed: gSDE")
        #expect(
            words(Pendulum()) {
                $0.exploration = NamedExploration(StateDependentExploration())
                $0.robustPolicy = 0.5
            } == "agent.ppo.robustPolicy: is 0.5; allowed: 0 "
                + "where exploration is gSDE: the two cannot be combined")
    }

    @Test func aRewardThatIsNoNumberStopsTheAgent() throws {
        let learner = try Self.learner(BrokenReward(), PPO(), copies: 1)
        let error = #expect(throws: EnvironmentError.self) { try learner.advance() }
        #expect(error?.message.contains("the reward is nan (copy 0, episode 0, step 5)") == true)
    }

    @Test func settingsGoThroughAConfiguration() throws {
        for type in AlgorithmCatalogue.all {
            let entry = type.catalogueEntry
            let named = try JSONDecoder().decode(
                NamedAlgorithm.self, from: Data("\"\(entry.name)\"".utf8))
            let again = try JSONDecoder().decode(NamedAlgorithm.self, from: JSONEncoder().encode(named))
            #expect("\(again.algorithm)" == "\(named.algorithm)")
        }
        var settings = PPO()
        settings.targetKL = 0.02
        settings.rollbackOn = UpdateGuard(approximateKL: 1)
        settings.exploration = NamedExploration(StateDependentExploration())
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings))
        #expect(
            (object as? [String: Any])?.keys.sorted()
                == PPO.catalogueEntry.parameters.map(\.name).sorted())
    }
}
