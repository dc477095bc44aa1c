import Environments
import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import Torch
import TorchNN

/// Soft actor-critic: learns, from a replay memory, a stochastic policy that is as random as its returns allow.
///
/// ```
/// y   = r + γ(1 − over)(min(Q̄₁, Q̄₂)(s′, a′) − α·log π(a′|s′)),       a′ ~ π(s′)
/// L_Q = mean (Q₁(s, a) − y)² + mean (Q₂(s, a) − y)²
/// L_π = mean (α·log π(ã|s) − min(Q₁, Q₂)(s, ã)),                       ã ~ π(s), reparameterised
/// L_α = −α·mean (log π(ã|s) + H̄)                                        by log α
/// Q̄   ← Q̄ + τ(Q − Q̄)
/// ```
///
/// Actions are scaled: the policy, the critics and the replay memory know them from −1 to 1, and log π is their density
/// there. An episode that a time limit cuts short is not over. Defaults are those of CleanRL's `sac_continuous_action`; its
/// learning rates are a rule and a group:
///
/// ```yaml
/// rule: {adam: {learningRate: 0.0003}}
/// groups: [{parameters: ["critic*", "temperature.*"], rule: {adam: {learningRate: 0.001}}}]
/// ```
///
/// Networks: `actor`, `critic1`, `critic2`, their targets `target1`, `target2`, and `temperature` where it is learnt; with
/// ``ParameterNoise`` also `explorer`. Optimizers, each with the whole equation: `actor` (its noise, schedules and guards count
/// its own updates), `critic` (both critics), `temperature`.
///
/// Metrics: `criticLoss` L_Q and `actorLoss` L_π of the last updates; `value`, the mean of min(Q₁, Q₂)(s, ã); `entropy`,
/// −mean log π; `temperature` α; with ``ParameterNoise`` also `parameterNoise` σ and `noiseDistance` d.
///
/// Source: Haarnoja et al. 2018, Soft Actor-Critic Algorithms and Applications.
public struct SAC: Algorithm, ReplayAlgorithm {
    /// Widths of the hidden layers of actor and critics.
    public var hidden: [Int] = [256, 256]
    public var activation: Activation = .relu
    /// γ, 0 … 1.
    public var discount = 0.99
    /// τ, above 0, at most 1.
    public var targetRate = 0.005
    /// Updates of the critics between steps of the targets, ≥ 1.
    public var targetEvery = 1
    /// Transitions of an update, ≥ 1.
    public var batchSize = 256
    /// Transitions that are remembered, ≥ 1.
    public var replayCapacity = 1_000_000
    /// Environment steps, over all copies, with evenly drawn actions and no updates, ≥ 1.
    public var learningStarts = 5000
    /// Steps of each copy between updates, ≥ 1.
    public var trainEvery = 1
    /// Updates of the critics after them, ≥ 1.
    public var updates = 1
    /// Every so many updates of the critics the actor and α are updated as often, on the same batch; ≥ 1.
    public var policyEvery = 2
    /// α, above 0; nil: learnt, beginning at 1.
    public var temperature: Double?
    /// H̄; nil: −(numbers of an action).
    public var targetEntropy: Double?
    /// Instead of, or in addition to, the policy's own randomness.
    public var exploration: NamedExploration?

    public init() {}

    static var actionKind: ActionKind { .continuous }

    public func makeLearner(_ setup: LearnerSetup) throws -> any Learner { try SACLearner(self, setup) }
}

/// The agent of ``SAC``.
public final class SACLearner: Learner {
    private let settings: SAC
    private let collector: ReplayCollector
    private let scale: ActionScale
    private let observationSize: Int
    private let actionSize: Int

    private let actor: any SquashedActor
    private let critic: TwinCritic
    private let target: TwinCritic
    private let temperature: Temperature
    private let actorOptimizer: ModelOptimizer
    private let criticOptimizer: ModelOptimizer
    private let temperatureOptimizer: ModelOptimizer?

    // Exploration beside the policy's own.
    private let heldNoise: HeldNoise?
    private let explorer: NoisyCopy?
    private let actionNoise: (any ActionNoiseProcess)?

    private let key: NoiseKey
    private var batch: ReplayBatch
    private var updates = 0
    private var actions: [Float]
    private var scaled: [Float]

    init(_ settings: SAC, _ setup: LearnerSetup) throws {
        try settings.validate(for: setup)
        let copies = setup.copies
        let (observationSize, actionSize) = (copies.observationSpace.count, copies.actionSpace.count)
        (self.observationSize, self.actionSize) = (observationSize, actionSize)
        self.settings = settings
        scale = try ActionScale(of: copies)
        collector = try ReplayCollector(copies, capacity: settings.replayCapacity)
        let key = NoiseKey(seed: setup.seed).derived("sac")
        self.key = key

        let gSDE = settings.exploration?.exploration as? StateDependentExploration
        let makeActor = { () -> any SquashedActor in
            let seed = derivedSeed(setup.seed, "actor")
            return if let gSDE {
                try StateDependentActor(
                    observations: observationSize, hidden: settings.hidden, actions: actionSize,
                    activation: settings.activation, logDeviation: gSDE.logDeviation, seed: seed)
            } else {
                try GaussianActor(
                    observations: observationSize, hidden: settings.hidden, actions: actionSize,
                    activation: settings.activation, seed: seed)
            }
        }
        actor = try makeActor()
        let makeCritic = {
            try TwinCritic(
                inputs: observationSize + actionSize, hidden: settings.hidden,
                activation: settings.activation, seed: setup.seed)
        }
        critic = try makeCritic()
        target = try makeCritic()
        temperature = try Temperature(settings.temperature ?? 1)

        let criticUpdates = settings.updateCount(of: setup)
        var networks = [
            TrainedNetwork(name: "actor", module: NamedNetwork("actor", actor), updates: criticUpdates),
            TrainedNetwork(name: "critic", module: critic, updates: criticUpdates),
        ]
        if settings.temperature == nil {
            networks.append(
                TrainedNetwork(
                    name: "temperature", module: NamedNetwork("temperature", temperature),
                    updates: criticUpdates))
        }
        let optimizers = try TrainedNetwork.optimizers(of: networks, setup)
        (actorOptimizer, criticOptimizer) = (optimizers[0], optimizers[1])
        temperatureOptimizer = settings.temperature == nil ? optimizers[2] : nil

        heldNoise = gSDE.map { HeldNoise($0, copies: copies.count, key: key.derived("gSDE")) }
        if var noise = settings.exploration?.exploration as? ParameterNoise {
            noise.target = noise.target.resolved(horizon: settings.copySteps(of: setup))
            let copy = try NoisyCopy(noise, of: actor, key: key.derived("explorer"), make: makeActor)
            copy.draw()
            explorer = copy
        } else {
            explorer = nil
        }
        actionNoise = (settings.exploration?.exploration as? any ActionNoise)?.makeProcess(
            copies: copies.count, actionSize: actionSize, key: key.derived("actionNoise"))

        batch = ReplayBatch(
            count: settings.batchSize, observationSize: observationSize, actionSize: actionSize)
        actions = [Float](repeating: 0, count: copies.count * actionSize)
        scaled = actions
    }

    public var environmentSteps: Int { collector.environmentSteps }

    public var networks: [NamedModule] {
        [
            NamedModule("actor", actor), NamedModule("critic1", critic.first),
            NamedModule("critic2", critic.second), NamedModule("target1", target.first),
            NamedModule("target2", target.second),
        ] + (temperatureOptimizer == nil ? [] : [NamedModule("temperature", temperature)])
            + (explorer.map { [NamedModule("explorer", $0.network)] } ?? [])
    }

    public var optimizers: [(name: String, optimizer: ModelOptimizer)] {
        [("actor", actorOptimizer), ("critic", criticOptimizer)]
            + (temperatureOptimizer.map { [("temperature", $0)] } ?? [])
    }

    public func advance() throws -> LearnerReport {
        var report = LearnerReport()
        for _ in 0..<settings.trainEvery { try act(&report) }
        guard environmentSteps > settings.learningStarts else { return report }
        for _ in 0..<settings.updates { try learn(&report) }
        if let explorer {
            report.metrics.append(("parameterNoise", explorer.sigma))
            if let distance = explorer.distance { report.metrics.append(("noiseDistance", distance)) }
        }
        return report
    }

    // MARK: Acting

    /// One step in every copy.
    private func act(_ report: inout LearnerReport) throws {
        let step = collector.steps
        if environmentSteps < settings.learningStarts {
            let draws = key.derived("start").derived(UInt64(step))
            for i in actions.indices { actions[i] = Float(draws.uniform(UInt64(i))) * 2 - 1 }
        } else {
            try write(try withoutGradients { try explore(try collector.observed(), at: step) }, to: &actions)
            actionNoise?.add(to: &actions, step: step)
        }
        scaled = actions
        var span = scaled.mutableSpan
        scale.scale(&span)
        let isNew = try collector.step(scaled, remembering: actions, &report) { actionNoise?.begin(copy: $0) }
        guard let explorer, environmentSteps >= settings.learningStarts else { return }
        if explorer.isDue(at: collector.steps) { try adapt(explorer) }
        if isNew { explorer.draw() }
    }

    /// The actions that are tried, [copies, size].
    private func explore(_ observations: Tensor, at step: Int) throws -> Tensor {
        if let explorer { return explorer.network.forward(observations, .evaluation) }
        if let heldNoise, let actor = actor as? StateDependentActor {
            return actor.act(observations, matrix: try heldNoise.matrix(at: step, of: actor.exploration))
        }
        let noise = try key.derived("act").normals(actor.noiseShape(rows: collector.copies.count), step: step)
        return actor.act(observations, noise: noise)
    }

    /// Adapts the explorer's σ to the distance between actions on a batch.
    private func adapt(_ explorer: NoisyCopy) throws {
        collector.replay.sample(
            into: &batch, key: key.derived("distance").derived(UInt64(collector.steps)))
        let observations = try Tensor(batch.observations, shape: [batch.count, observationSize])
        explorer.adapt(at: collector.steps) { policy, noisy in
            (policy.forward(observations, .evaluation) - noisy.forward(observations, .evaluation)).squared()
                .mean().squareRoot().item()
        }
    }

    public func act(on observations: Span<Float>, count: Int, into actions: inout MutableSpan<Float>) throws {
        let rows = try observations.withUnsafeBytes {
            try Tensor(bytes: $0, shape: [count, collector.copies.observationSpace.count], dtype: .float32)
        }
        var chosen = [Float](repeating: 0, count: count * actionSize)
        try write(withoutGradients { actor.mean(rows) }, to: &chosen)
        for i in chosen.indices { actions[i] = chosen[i] }
        scale.scale(&actions)
    }

    private func write(_ tensor: Tensor, to numbers: inout [Float]) throws {
        try Libtorch.checkHeldFailure()
        try numbers.withUnsafeMutableBytes { try tensor.contiguous().copyElements(to: $0) }
    }

    // MARK: Learning

    /// One update of the critics, and of actor and temperature where their turn has come.
    private func learn(_ report: inout LearnerReport) throws {
        collector.replay.sample(into: &batch, key: key.derived("replay").derived(UInt64(updates)))
        let n = batch.count
        let observations = try Tensor(batch.observations, shape: [n, observationSize])
        let taken = try Tensor(batch.actions, shape: [n, actionSize])

        let y = try withoutGradients { try targets() }
        let x = Tensor.concatenated([observations, taken], along: 1)
        let criticLoss = try criticOptimizer.step {
            let (first, second) = critic.values(x)
            return (first.meanSquaredError(y) + second.meanSquaredError(y), ())
        }.loss

        updates += 1
        if updates % settings.policyEvery == 0 {
            for number in 0..<settings.policyEvery {
                let alpha = temperature.value
                let noise = try key.derived("policy").normals(
                    actor.noiseShape(rows: n), step: updates, draw: number)
                let (_, actorLoss, logDensity) = try actorOptimizer.step {
                    let (actions, logDensity) = actor.sample(observations, noise: noise)
                    let value = critic.frozen {
                        critic.forward(.concatenated([observations, actions], along: 1), .evaluation)
                    }
                    return ((logDensity * alpha - value).mean(), logDensity)
                }
                let entropy = -withoutGradients { logDensity.mean().item() }
                try learnTemperature(entropy: entropy)
                report.metrics = [
                    ("criticLoss", criticLoss), ("actorLoss", actorLoss),
                    ("value", -alpha * entropy - actorLoss), ("entropy", entropy),
                    ("temperature", temperature.value),
                ]
            }
        }
        if updates % settings.targetEvery == 0 { target.follow(critic, by: settings.targetRate) }
    }

    /// y of the batch, [n, 1].
    private func targets() throws -> Tensor {
        let n = batch.count
        let next = try Tensor(batch.nextObservations, shape: [n, observationSize])
        let noise = try key.derived("target").normals(actor.noiseShape(rows: n), step: updates)
        let (actions, logDensity) = actor.sample(next, noise: noise)
        let value = target.forward(.concatenated([next, actions], along: 1), .evaluation)
        let rewards = try Tensor(batch.rewards, shape: [n, 1])
        let goesOn = try Tensor(batch.terminated.map { Float(settings.discount) * (1 - $0) }, shape: [n, 1])
        return rewards + goesOn * (value - logDensity * temperature.value)
    }

    /// One step of log α along −α(H̄ − H): the derivative of L_α, which is known.
    private func learnTemperature(entropy: Double) throws {
        guard let temperatureOptimizer else { return }
        let surplus = entropy - (settings.targetEntropy ?? -Double(actionSize))
        try temperatureOptimizer.step { evaluation in
            let loss = temperature.value * surplus
            if evaluation.needsGradient {
                temperature.logAlpha.gradient = try Tensor([Float(loss)])
            }
            return loss
        }
    }

    // MARK: State

    public func state() throws -> LearnerState {
        var state = LearnerState()
        try collector.save(in: &state)
        state.metadata["updates"] = "\(updates)"
        if let explorer { try explorer.save(in: &state) }
        if let actionNoise { state.metadata["actionNoise"] = try LearnerState.text(actionNoise.memory) }
        if let matrix = heldNoise?.matrix { state.tensors.append(TensorSource("exploration.matrix", matrix)) }
        return state
    }

    public func restore(_ metadata: [String: String], from file: SafetensorsFile) throws {
        func value<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
            try LearnerState.value(type, metadata[name], of: "sac", in: file)
        }
        let updates = try value(Int.self, "updates")
        let noise = try explorer.map { _ in try NoisyCopy.Saved(metadata, from: file, of: "sac") }
        let memory = try actionNoise.map { _ in try value([Double].self, "actionNoise") }
        let matrix = try file["exploration.matrix"].map { try $0.tensor() }
        let fits =
            updates >= 0 && memory.map { $0.count == actions.count } ?? true
            && (heldNoise == nil
                || matrix.map { $0.shape == [collector.copies.count] + actor.noiseShape(rows: 1) }
                    ?? true)
        guard fits else { throw LearnerStateError("\(file.name): the state of sac is of other settings") }
        try collector.restore(metadata, from: file, of: "sac")
        self.updates = updates
        if let noise { explorer?.restore(noise) }
        if let memory { actionNoise?.memory = memory }
        heldNoise?.restore(matrix)
    }
}
