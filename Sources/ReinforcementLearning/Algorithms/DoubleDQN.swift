import Environments
import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import Torch
import TorchNN

/// Double deep Q-learning: learns the values of discrete actions from a replay memory.
///
/// ```
/// a* = argmax Q(s′, ·),   y = r + γ(1 − over)·Q̄(s′, a*),   L = mean (Q(s, a) − y)²
/// Q̄ ← Q̄ + τ(Q − Q̄) every n steps; τ = 1 copies
/// ```
///
/// The network that acts chooses the next action and the target network values it, so that errors of one are not taken for
/// value. An episode that a time limit cuts short is not over. Other defaults are those of CleanRL's `dqn`.
///
/// With ``NoisyLayers`` there is no ε: the layers' noise is drawn anew in each step, and for each batch three times, for the
/// values, the choice and the target.
///
/// Networks: `q`, `target`; with ``ParameterNoise`` also `explorer`. Optimizer: `q`.
///
/// Metrics: `loss` L of the last update; `value`, the mean of Q(s, a); `epsilon` or, with ``ParameterNoise``, `parameterNoise` σ
/// and `noiseDistance` d.
///
/// Source: van Hasselt, Guez and Silver 2016, Deep Reinforcement Learning with Double Q-learning; Mnih et al. 2015,
/// Human-level Control through Deep Reinforcement Learning.
public struct DoubleDQN: Algorithm, ReplayAlgorithm {
    /// Widths of the hidden layers.
    public var hidden: [Int] = [120, 84]
    public var activation: Activation = .relu
    /// γ, 0 … 1.
    public var discount = 0.99
    /// τ, above 0, at most 1.
    public var targetRate = 1.0
    /// Steps of each copy between steps of the target network, ≥ 1.
    public var targetEvery = 500
    /// Transitions of an update, ≥ 1.
    public var batchSize = 128
    /// Transitions that are remembered, ≥ 1.
    public var replayCapacity = 10_000
    /// Environment steps, over all copies, before the first update, ≥ 1.
    public var learningStarts = 10_000
    /// Steps of each copy between updates, ≥ 1.
    public var trainEvery = 10
    /// Updates after them, ≥ 1.
    public var updates = 1
    public var exploration = NamedExploration(EpsilonGreedy())

    public init() {}

    static var actionKind: ActionKind { .discrete }

    public func makeLearner(_ setup: LearnerSetup) throws -> any Learner {
        try DoubleDQNLearner(self, setup)
    }
}

/// The agent of ``DoubleDQN``.
public final class DoubleDQNLearner: Learner {
    private let settings: DoubleDQN
    private let collector: ReplayCollector
    private let observationSize: Int
    private let choices: Int

    private let q: Perceptron
    private let target: Perceptron
    private let optimizer: ModelOptimizer

    // How actions are tried.
    private let epsilon: Scheduled?
    private let noisyLayers: NoisyLayers?
    private let explorer: NoisyCopy?

    private let key: NoiseKey
    private var batch: ReplayBatch
    private var updates = 0
    private var actions: [Float]
    private var values: [Float]

    init(_ settings: DoubleDQN, _ setup: LearnerSetup) throws {
        try settings.validate(for: setup)
        guard case .discrete(let choices) = setup.copies.actionSpace else {
            preconditionFailure("the actions are discrete")
        }
        let copies = setup.copies
        let observationSize = copies.observationSpace.count
        self.settings = settings
        self.observationSize = observationSize
        self.choices = choices
        collector = try ReplayCollector(copies, capacity: settings.replayCapacity)
        let key = NoiseKey(seed: setup.seed).derived("doubleDQN")
        self.key = key

        let noisy = settings.exploration.exploration as? NoisyLayers
        noisyLayers = noisy
        let makeNetwork = {
            try Perceptron(
                [observationSize] + settings.hidden + [choices], activation: settings.activation,
                seed: derivedSeed(setup.seed, "q"),
                layer: { try noisy?.layer($0) ?? Linear($0.inputs, $0.outputs, seed: $0.seed) })
        }
        let q = try makeNetwork()
        self.q = q
        target = try makeNetwork()
        optimizer = try TrainedNetwork.optimizers(
            of: [
                TrainedNetwork(
                    name: "q", module: NamedNetwork("q", q),
                    updates: settings.updateCount(of: setup))
            ], setup)[0]

        let steps = settings.copySteps(of: setup)
        epsilon = (settings.exploration.exploration as? EpsilonGreedy)?.epsilon.resolved(horizon: steps)
        explorer = try (settings.exploration.exploration as? ParameterNoise).map { noise in
            var noise = noise
            noise.target = noise.target.resolved(horizon: steps)
            return try NoisyCopy(noise, of: q, key: key.derived("explorer"), make: makeNetwork)
        }
        explorer?.draw()

        batch = ReplayBatch(count: settings.batchSize, observationSize: observationSize, actionSize: 1)
        actions = [Float](repeating: 0, count: copies.count)
        values = [Float](repeating: 0, count: copies.count * choices)
    }

    public var environmentSteps: Int { collector.environmentSteps }

    public var networks: [NamedModule] {
        [NamedModule("q", q), NamedModule("target", target)]
            + (explorer.map { [NamedModule("explorer", $0.network)] } ?? [])
    }

    public var optimizers: [(name: String, optimizer: ModelOptimizer)] { [("q", optimizer)] }

    public func advance() throws -> LearnerReport {
        var report = LearnerReport()
        for _ in 0..<settings.trainEvery { try act(&report) }
        guard environmentSteps > settings.learningStarts else { return report }
        for _ in 0..<settings.updates { try learn(&report) }
        if let epsilon { report.metrics.append(("epsilon", epsilon.value(at: collector.steps))) }
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
        let observations = try collector.observed()
        let draw = noisyLayers?.perEpisode == true ? collector.copies.progress(of: 0).episode : step
        try best(withoutGradients { (explorer?.network ?? q).forward(observations, noise("act", draw)) })
        if let epsilon {
            let draws = key.derived("epsilon").derived(UInt64(step))
            let epsilon = epsilon.value(at: step)
            for i in actions.indices where draws.uniform(UInt64(2 * i)) < epsilon {
                actions[i] = Float(draws.uniformIndex(below: UInt64(choices), UInt64(2 * i + 1)))
            }
        }
        let isNew = try collector.step(actions, remembering: actions, &report)
        if collector.steps % settings.targetEvery == 0 { target.follow(q, by: settings.targetRate) }
        guard let explorer else { return }
        if explorer.isDue(at: collector.steps) { try adapt(explorer) }
        if isNew { explorer.draw() }
    }

    /// The layers' noise for that use; none where layers are not noisy.
    private func noise(_ use: String, _ step: Int) -> ForwardContext {
        noisyLayers != nil
            ? ForwardContext(training: true, seed: key.derived(use).word(UInt64(step))) : .evaluation
    }

    /// Writes the action of the greatest value in each row, the first of several.
    private func best(_ tensor: Tensor) throws {
        try Libtorch.checkHeldFailure()
        try values.withUnsafeMutableBytes { try tensor.copyElements(to: $0) }
        for row in actions.indices {
            var choice = 0
            for i in 1..<max(1, choices) where values[row * choices + i] > values[row * choices + choice] {
                choice = i
            }
            actions[row] = Float(choice)
        }
    }

    /// Adapts the explorer's σ to the distance between the policies softmax Q on a batch.
    private func adapt(_ explorer: NoisyCopy) throws {
        collector.replay.sample(
            into: &batch, key: key.derived("distance").derived(UInt64(collector.steps)))
        let observations = try Tensor(batch.observations, shape: [batch.count, observationSize])
        explorer.adapt(at: collector.steps) { network, noisy in
            let p = network.forward(observations, .evaluation).logSoftmax()
            let q = noisy.forward(observations, .evaluation).logSoftmax()
            return (p.exp() * (p - q)).sum(along: 1).mean().item()
        }
    }

    public func act(on observations: Span<Float>, count: Int, into actions: inout MutableSpan<Float>) throws {
        let rows = try observations.withUnsafeBytes {
            try Tensor(bytes: $0, shape: [count, observationSize], dtype: .float32)
        }
        let chosen = withoutGradients { q.forward(rows, .evaluation).argmax(along: 1) }
        try Libtorch.checkHeldFailure()
        for (i, action) in try chosen.array(of: Int64.self).enumerated() { actions[i] = Float(action) }
    }

    // MARK: Learning

    /// One update.
    private func learn(_ report: inout LearnerReport) throws {
        collector.replay.sample(into: &batch, key: key.derived("replay").derived(UInt64(updates)))
        let n = batch.count
        let observations = try Tensor(batch.observations, shape: [n, observationSize])
        let taken = try Tensor(batch.actions.map { Int64($0) }, shape: [n, 1])
        let y = try withoutGradients { try targets() }
        let context = noise("update", updates)
        let (_, loss, value) = try optimizer.step {
            let value = q.forward(observations, context).taken(at: taken, along: 1)
            return (value.meanSquaredError(y), value)
        }
        updates += 1
        report.metrics = [("loss", loss), ("value", withoutGradients { value.mean().item() })]
    }

    /// y of the batch, [n, 1].
    private func targets() throws -> Tensor {
        let n = batch.count
        let next = try Tensor(batch.nextObservations, shape: [n, observationSize])
        let choice = q.forward(next, noise("choice", updates)).argmax(along: 1).unsqueezed(1)
        let value = target.forward(next, noise("target", updates)).taken(at: choice, along: 1)
        let rewards = try Tensor(batch.rewards, shape: [n, 1])
        let goesOn = try Tensor(batch.terminated.map { Float(settings.discount) * (1 - $0) }, shape: [n, 1])
        return rewards + goesOn * value
    }

    // MARK: State

    public func state() throws -> LearnerState {
        var state = LearnerState()
        try collector.save(in: &state)
        state.metadata["updates"] = "\(updates)"
        if let explorer { try explorer.save(in: &state) }
        return state
    }

    public func restore(_ metadata: [String: String], from file: SafetensorsFile) throws {
        let updates = try LearnerState.value(Int.self, metadata["updates"], of: "doubleDQN", in: file)
        guard updates >= 0 else { throw LearnerStateError("\(file.name): \(updates) updates of doubleDQN") }
        let noise = try explorer.map { _ in try NoisyCopy.Saved(metadata, from: file, of: "doubleDQN") }
        try collector.restore(metadata, from: file, of: "doubleDQN")
        self.updates = updates
        if let noise { explorer?.restore(noise) }
    }
}
