import Environments
import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import Torch
import TorchNN

/// Proximal policy optimization, for discrete and continuous actions.
///
/// The policy acts for T steps in n copies. Then, for some epochs over these T·n transitions in minibatches, one perturbed
/// optimizer over actor and critic makes
///
/// ```
/// L = −mean min(ρ·A, clip(ρ, 1 − ε, 1 + ε)·A) + c_v·½·mean max((V − R)², (V_old + clip(V − V_old, −ε, ε) − R)²) − c_e·H
/// ρ = π(a|s)/π_old(a|s),   A by generalised advantage estimation,   R = A + V_old,   H the policy's entropy
/// ```
///
/// small. Discrete actions are drawn from softmax of the actor's outputs. Continuous ones are normal with the actor's outputs
/// as the mean and a learnt σ; they are clipped to the space where they are taken, and the probability is that of the action
/// as drawn. Weights begin orthogonal (gain √2; 0.01 for the actor's last layer, 1 for the critic's), biases and log σ at 0.
///
/// gSDE: with `exploration: {gSDE: …}` the noise of continuous actions is a function of the state, held for some steps, in the
/// place of σ (``StateDependentGaussian``).
///
/// RPO: with α = `robustPolicy` the mean of a continuous action gets a uniform variate from −α … α, anew in each
/// minibatch, in the update only.
///
/// Schedules of the rule count optimizer steps: epochs × minibatches in each update.
///
/// Logged, each the mean over the update's minibatches unless said otherwise: `policyLoss` and `valueLoss` (the terms of L, the
/// second without c_v), `entropy` (H, in nats), `approximateKL` (mean of ρ − 1 − log ρ), `clipFraction` (the share of |ρ − 1| >
/// ε), `explainedVariance` (1 − Var(R − V_old)/Var(R) of the whole rollout), `learningRate` (η of the last step), `sigma` (the
/// noise's strength there, where there is noise), `rolledBack` (whether the update was taken back, under `rollbackOn`).
///
/// Source: Schulman et al. 2017, Proximal Policy Optimization Algorithms; Huang et al. 2022, The 37 Implementation Details of
/// Proximal Policy Optimization; Rahman and Xue 2022, Robust Policy Optimization in Deep Reinforcement Learning.
public struct PPO: Algorithm {
    /// T, steps of each copy between updates.
    public var rolloutLength = 128
    /// Passes over a rollout.
    public var epochs = 4
    /// Parts of a rollout, each one step.
    public var minibatches = 4
    /// γ.
    public var discount = 0.99
    /// λ.
    public var lambda = 0.95
    /// ε.
    public var clip = 0.2
    /// Whether the value's change is clipped too.
    public var clipValueLoss = true
    /// c_e.
    public var entropyCoefficient = 0.01
    /// c_v.
    public var valueCoefficient = 0.5
    /// Ends an update after the epoch whose mean approximate KL is larger; nil never does.
    public var targetKL: Double?
    /// Whether A is brought to mean 0 and deviation 1 in each minibatch.
    public var normaliseAdvantages = true
    public var normaliseObservations = false
    public var normaliseRewards = false
    /// Whether a truncated episode is bootstrapped from its last observation; CleanRL does not.
    public var bootstrapTruncated = true
    /// α; 0 is plain PPO.
    public var robustPolicy = 0.0
    /// ``StateDependentExploration`` in the place of a σ that the observation does not change; nil: that σ.
    public var exploration: NamedExploration?
    /// Takes updates back that go too far; nil: none.
    public var rollbackOn: UpdateGuard?
    /// The sizes of the hidden layers, of actor and critic each.
    public var hidden = [64, 64]
    public var activation = Activation.tanh

    public init() {}

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = PPO()
        rolloutLength = try container.decode(.rolloutLength, default: d.rolloutLength)
        epochs = try container.decode(.epochs, default: d.epochs)
        minibatches = try container.decode(.minibatches, default: d.minibatches)
        discount = try container.decode(.discount, default: d.discount)
        lambda = try container.decode(.lambda, default: d.lambda)
        clip = try container.decode(.clip, default: d.clip)
        clipValueLoss = try container.decode(.clipValueLoss, default: d.clipValueLoss)
        entropyCoefficient = try container.decode(.entropyCoefficient, default: d.entropyCoefficient)
        valueCoefficient = try container.decode(.valueCoefficient, default: d.valueCoefficient)
        targetKL = try container.decodeIfPresent(Double.self, forKey: .targetKL)
        normaliseAdvantages = try container.decode(.normaliseAdvantages, default: d.normaliseAdvantages)
        normaliseObservations = try container.decode(.normaliseObservations, default: d.normaliseObservations)
        normaliseRewards = try container.decode(.normaliseRewards, default: d.normaliseRewards)
        bootstrapTruncated = try container.decode(.bootstrapTruncated, default: d.bootstrapTruncated)
        robustPolicy = try container.decode(.robustPolicy, default: d.robustPolicy)
        exploration = try container.decodeIfPresent(NamedExploration.self, forKey: .exploration)
        rollbackOn = try container.decodeIfPresent(UpdateGuard.self, forKey: .rollbackOn)
        hidden = try container.decode(.hidden, default: d.hidden)
        activation = try container.decode(.activation, default: d.activation)
    }

    public func makeLearner(_ setup: LearnerSetup) throws -> any Learner {
        try PPOLearner(self, setup)
    }
}

extension PPO {
    /// L and its parts, from tensors of [m, 1]; the entropy is a scalar.
    package func objective(
        logProbabilities: Tensor, old: Tensor, advantages: Tensor, entropy: Tensor, values: Tensor,
        oldValues: Tensor, returns: Tensor
    ) -> (loss: Tensor, policyLoss: Tensor, valueLoss: Tensor, logRatio: Tensor) {
        let logRatio = logProbabilities - old
        let ratio = logRatio.exp()
        let gain = (ratio * advantages).minimum(ratio.clamped(to: 1 - clip...1 + clip) * advantages)
        let policyLoss = -gain.mean()
        var errors = (values - returns).squared()
        if clipValueLoss {
            let moved = oldValues + (values - oldValues).clamped(to: -clip...clip)
            errors = errors.maximum((moved - returns).squared())
        }
        let valueLoss = errors.mean() * 0.5
        let loss = policyLoss + valueLoss * valueCoefficient - entropy * entropyCoefficient
        return (loss, policyLoss, valueLoss, logRatio)
    }
}

/// An agent that learns by ``PPO``.
public final class PPOLearner: Learner {
    private let settings: PPO
    private let copies: VectorEnvironment
    private let model: ActorCritic
    private let distribution: any PolicyDistribution
    private let optimizer: ModelOptimizer
    private let keys: Keys
    private let observationSize: Int
    private var observationNormaliser: ObservationNormaliser?
    private var rewardNormaliser: RewardNormaliser?
    private var rollout: Rollout
    /// What the actor looks at in each step, [n, observationSize].
    private let input: Tensor
    /// RPO's variates, as many as a minibatch's actions.
    private let shifts: Tensor?
    private var guardMemory = UpdateGuard.Memory()
    public private(set) var environmentSteps = 0

    /// One for each use of randomness.
    private struct Keys {
        let initialise, actions, shuffle, pass, robustPolicy: NoiseKey

        init(seed: UInt64) {
            let key = NoiseKey(seed: seed).derived("ppo")
            initialise = key.derived("initialise")
            actions = key.derived("actions")
            shuffle = key.derived("shuffle")
            pass = key.derived("pass")
            robustPolicy = key.derived("robustPolicy")
        }
    }

    init(_ settings: PPO, _ setup: LearnerSetup) throws {
        try within("agent.ppo") { try settings.validate(for: setup.copies) }
        self.settings = settings
        copies = setup.copies
        keys = Keys(seed: setup.seed)
        let observationSize = copies.observationSpace.count
        let actionSize = copies.actionSpace.count
        self.observationSize = observationSize
        let first = keys.initialise.seed
        func perceptron(_ outputs: Int, lastGain: Double, _ name: String) throws -> Perceptron {
            try Perceptron(
                [observationSize] + settings.hidden + [outputs], activation: settings.activation,
                seed: derivedSeed(first, name)
            ) { place in
                try Linear(
                    place.inputs, place.outputs,
                    initialiser: .orthogonal(gain: place.isLast ? lastGain : 2.0.squareRoot()),
                    seed: place.seed)
            }
        }
        let actor: Actor
        switch (copies.actionSpace, settings.exploration?.exploration as? StateDependentExploration) {
        case (.discrete(let choices), _):
            actor = Actor(network: try perceptron(choices, lastGain: 0.01, "actor"))
            distribution = Categorical(choices: choices)
        case (.continuous, let gSDE?):
            let noise = try StateDependentNoise(
                features: settings.hidden.last ?? observationSize, actions: actionSize,
                logDeviation: gSDE.logDeviation)
            actor = Actor(network: try perceptron(actionSize, lastGain: 0.01, "actor"), exploration: noise)
            distribution = StateDependentGaussian(
                noise, every: gSDE.every, rolloutLength: settings.rolloutLength)
        case (.continuous, nil):
            let parameter = try Tensor.zeros([1, actionSize]).requiringGradient()
            actor = Actor(
                network: try perceptron(actionSize, lastGain: 0.01, "actor"), logDeviation: parameter)
            distribution = DiagonalGaussian(logDeviation: parameter)
        }
        model = ActorCritic(actor: actor, critic: try perceptron(1, lastGain: 1, "critic"))
        let n = copies.count
        rollout = Rollout(
            steps: settings.rolloutLength, copies: n, observationSize: observationSize, actionSize: actionSize
        )
        let updates = (setup.totalSteps + rollout.count - 1) / rollout.count
        optimizer = try ModelOptimizer(
            model, equation: setup.equation, groups: setup.groups, seed: setup.seed,
            horizon: max(1, updates) * settings.epochs * settings.minibatches)
        if settings.normaliseObservations {
            observationNormaliser = ObservationNormaliser(size: observationSize)
        }
        if settings.normaliseRewards {
            rewardNormaliser = RewardNormaliser(discount: settings.discount, copies: n)
        }
        input = try .zeros([n, observationSize])
        let largest = (rollout.count + settings.minibatches - 1) / settings.minibatches
        shifts = settings.robustPolicy > 0 ? try .zeros([largest, actionSize]) : nil
    }

    public var networks: [NamedModule] {
        [NamedModule("actor", model.actor), NamedModule("critic", model.critic)]
    }
    public var optimizers: [(name: String, optimizer: ModelOptimizer)] { [("policy", optimizer)] }

    public func advance() throws -> LearnerReport {
        var report = LearnerReport()
        try act(&report)
        try learn(&report)
        return report
    }

    // MARK: Acting

    /// T steps of the policy as it is. Values and probabilities are not needed until they are over.
    private func act(_ report: inout LearnerReport) throws {
        let n = copies.count
        let size = n * copies.actionSpace.count
        var outputs = [Float](repeating: 0, count: n * distribution.outputSize)
        var actions = [Float](repeating: 0, count: size)
        var rewards = [Float](repeating: 0, count: n)
        rollout.begin()
        for step in 0..<rollout.steps {
            observe(step: step, learns: true)
            input.withUnsafeMutableBytes { memory in
                rollout.observations.withUnsafeBytes { all in
                    memory.copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: all[step * memory.count..<(step + 1) * memory.count]))
                }
            }
            let answer = withoutGradients { model.actor.forward(input, .evaluation) }
            try outputs.withUnsafeMutableBytes { try answer.copyElements(to: $0) }
            draw(outputs, into: &actions)
            for i in 0..<size { rollout.actions[step * size + i] = actions[i] }
            clip(&actions)
            try copies.step(actions)
            environmentSteps += n
            note(&rewards, step: step)
            rollout.noteEnds(copies, step: step)
            report.episodes += (0..<n).compactMap(copies.endedEpisode)
        }
        observe(step: rollout.steps, learns: false)
        normalise(&rollout.cutObservations)
    }

    /// Puts the copies' observations into the rollout, normalised where that is asked for.
    ///
    /// - Parameter learns: whether the running statistics take them in. Those after the last step are the first of the next
    ///   rollout, and are taken in there.
    private func observe(step: Int, learns: Bool) {
        let size = copies.count * observationSize
        copies.observations.withUnsafeBufferPointer { observations in
            for i in 0..<size { rollout.observations[step * size + i] = observations[i] }
        }
        guard observationNormaliser != nil else { return }
        rollout.observations.withUnsafeMutableBufferPointer { all in
            let own = UnsafeMutableBufferPointer(rebasing: all[step * size..<(step + 1) * size])
            if learns { observationNormaliser!.add(UnsafeBufferPointer(own).span) }
            var rows = own.mutableSpan
            observationNormaliser!.normalise(&rows)
        }
    }

    private func normalise(_ observations: inout [Float]) {
        guard let observationNormaliser else { return }
        var span = observations.mutableSpan
        observationNormaliser.normalise(&span)
    }

    private func draw(_ outputs: [Float], into actions: inout [Float]) {
        var span = actions.mutableSpan
        distribution.sample(
            outputs.span, key: keys.actions, step: environmentSteps / copies.count, into: &span)
    }

    private func clip(_ actions: inout [Float]) {
        var span = actions.mutableSpan
        copies.actionSpace.clip(&span)
    }

    /// Puts the rewards of a step into the rollout, normalised where that is asked for.
    private func note(_ rewards: inout [Float], step: Int) {
        let n = copies.count
        for copy in 0..<n { rewards[copy] = Float(copies.rewards[copy]) }
        if rewardNormaliser != nil {
            copies.terminated.withUnsafeBufferPointer { terminated in
                var span = rewards.mutableSpan
                rewardNormaliser!.normalise(&span, terminated: terminated.span)
            }
        }
        for copy in 0..<n { rollout.rewards[step * n + copy] = rewards[copy] }
    }

    public func act(
        on observations: Span<Float>, count: Int, into actions: inout MutableSpan<Float>
    ) throws {
        var rows = [Float](repeating: 0, count: observations.count)
        for i in rows.indices { rows[i] = observations[i] }
        let answer = try answer(to: rows, count: count)
        distribution.mode(answer.span, into: &actions)
        copies.actionSpace.clip(&actions)
    }

    /// The actor's numbers for observations as the environment gives them.
    private func answer(to observations: [Float], count: Int) throws -> [Float] {
        var rows = observations
        normalise(&rows)
        let input = try Tensor(rows, shape: [count, observationSize])
        return try withoutGradients { model.actor.forward(input, .evaluation) }.array(of: Float.self)
    }

    // MARK: Learning

    /// The rows of a rollout as tensors, or some of them.
    private struct Batch {
        var observations: Tensor
        var actions: Tensor
        var logProbabilities: Tensor
        var advantages: Tensor
        /// R.
        var returns: Tensor
        /// V_old.
        var values: Tensor

        func map(_ change: (Tensor) -> Tensor) -> Batch {
            Batch(
                observations: change(observations), actions: change(actions),
                logProbabilities: change(logProbabilities), advantages: change(advantages),
                returns: change(returns), values: change(values))
        }
    }

    private func learn(_ report: inout LearnerReport) throws {
        let (whole, explained) = try judge()
        let before = try settings.rollbackOn.map { _ in try optimizer.keep() }
        let shuffling = keys.shuffle.derived(UInt64(environmentSteps / rollout.count))
        var all = UpdateStatistics(size: 5)
        var last: StepReport?
        for epoch in 0..<settings.epochs {
            let order = try Tensor(
                shuffling.derived(UInt64(epoch)).permutation(of: rollout.count).map(Int64.init))
            let shuffled = whole.map { $0.gathered(order) }
            var divergence = UpdateStatistics(size: 1)
            for part in 0..<settings.minibatches {
                let first = part * rollout.count / settings.minibatches
                let end = (part + 1) * rollout.count / settings.minibatches
                last = try step(shuffled.map { $0[first..<end] }, &all, &divergence)
            }
            if let targetKL = settings.targetKL, divergence.mean(0) > targetKL { break }
        }
        let names = ["policyLoss", "valueLoss", "entropy", "approximateKL", "clipFraction"]
        report.metrics = names.enumerated().map { ($1, all.mean($0)) }
        report.metrics.append(("explainedVariance", explained))
        if let last {
            report.metrics.append(("learningRate", last.learningRate))
            if let sigma = last.sigma { report.metrics.append(("sigma", sigma)) }
        }
        if let before, let guarding = settings.rollbackOn {
            let isTakenBack = try takeBack(to: before, guarding, whole)
            report.metrics.append(("rolledBack", isTakenBack ? 1 : 0))
        }
    }

    /// Takes the update back where it is a spike.
    private func takeBack(
        to before: KeptState, _ guarding: UpdateGuard, _ batch: Batch
    ) throws -> Bool {
        let (move, valueLoss) = withoutGradients {
            let outputs = model.actor.forward(batch.observations, .evaluation)
            let moved = distribution.evaluate(batch.actions, under: outputs).logProbability
            let values = model.critic.forward(batch.observations, .evaluation)
            return (
                PolicyMove(logRatio: moved - batch.logProbabilities, clip: settings.clip).approximateKL,
                0.5 * values.meanSquaredError(batch.returns).item()
            )
        }
        try Libtorch.checkHeldFailure()
        guard
            let fault = guarding.fault(approximateKL: move, valueLoss: valueLoss, after: guardMemory)
        else {
            guarding.accept(valueLoss: valueLoss, into: &guardMemory)
            return false
        }
        try optimizer.rollBack(to: before, cut: guarding.cut)
        guardMemory.attempts += 1
        guard guardMemory.attempts <= guarding.attempts else {
            throw LearnerDivergence(
                "\(fault), after \(guarding.attempts) rollbacks in a row; the weights are those before it. Lower the "
                    + "learning rate or the noise, or raise agent.ppo.rollbackOn.attempts.")
        }
        return true
    }

    /// V and log π of the policy that acted, and A; and how well V explains R.
    private func judge() throws -> (Batch, explainedVariance: Double) {
        let count = rollout.count
        return try withoutGradients { () throws in
            let seen = try Tensor(
                rollout.observations, shape: [count + rollout.copies, observationSize])
            let values = try model.critic.forward(seen, .evaluation).array(of: Float.self)
            let finalValues = try finalValues()
            var advantages = [Float](repeating: 0, count: count)
            estimate(values, finalValues, into: &advantages)
            var returns = advantages
            for i in 0..<count { returns[i] += values[i] }
            let old = Array(values[..<count])
            let observations = seen[0..<count]
            let actions = try distribution.tensor(rollout.actions, count: count)
            let batch = Batch(
                observations: observations, actions: actions,
                logProbabilities: distribution.evaluate(
                    actions, under: model.actor.forward(observations, .evaluation)
                ).logProbability,
                advantages: try Tensor(advantages, shape: [count, 1]),
                returns: try Tensor(returns, shape: [count, 1]), values: try Tensor(old, shape: [count, 1]))
            return (batch, explainedVariance(of: returns.span, by: old.span))
        }
    }

    /// A of the rollout.
    private func estimate(_ values: [Float], _ finalValues: [Float], into advantages: inout [Float]) {
        let seen = rollout
        var span = advantages.mutableSpan
        GeneralizedAdvantage(discount: Float(settings.discount), lambda: Float(settings.lambda)).estimate(
            rewards: seen.rewards.span, values: values.span, finalValues: finalValues.span,
            terminated: seen.terminated.span, truncated: seen.truncated.span, copies: seen.copies,
            into: &span)
    }

    /// V of the observations that episodes were cut short with; 0 in all other rows.
    private func finalValues() throws -> [Float] {
        var values = [Float](repeating: 0, count: rollout.count)
        let rows = rollout.cutRows
        guard settings.bootstrapTruncated, !rows.isEmpty else { return values }
        let observations = try Tensor(rollout.cutObservations, shape: [rows.count, observationSize])
        let judged = try model.critic.forward(observations, .evaluation).array(of: Float.self)
        for (row, value) in zip(rows, judged) { values[row] = value }
        return values
    }

    /// One perturbed step on a minibatch.
    private func step(
        _ batch: Batch, _ all: inout UpdateStatistics, _ divergence: inout UpdateStatistics
    ) throws -> StepReport {
        var advantages = batch.advantages
        if settings.normaliseAdvantages, advantages.count > 1 {
            let deviation = advantages.variance(along: 0).squareRoot()
            advantages = (advantages - advantages.mean()) / (deviation + 1e-8)
        }
        let number = optimizer.core.step
        let context = ForwardContext(
            training: true, seed: keys.pass.word(UInt64(number)), sigma: optimizer.core.sigma ?? 0)
        let (report, _, seen) = try optimizer.step {
            var outputs = model.forward(batch.observations, context)
            if let shifts { outputs = outputs + drawn(shifts, outputs.size(0), number) }
            let (logProbabilities, entropy) = distribution.evaluate(batch.actions, under: outputs)
            let objective = settings.objective(
                logProbabilities: logProbabilities, old: batch.logProbabilities, advantages: advantages,
                entropy: entropy,
                values: model.critic.forward(batch.observations, context.entering("critic")),
                oldValues: batch.values, returns: batch.returns)
            return (objective.loss, (objective, entropy))
        }
        let (objective, entropy) = seen
        let move = PolicyMove(logRatio: objective.logRatio, clip: settings.clip)
        divergence.add(move.approximateKL)
        all.add(
            objective.policyLoss.item(), objective.valueLoss.item(), entropy.item(), move.approximateKL,
            move.clipFraction)
        guard report.outcome != .applied || report.loss?.isFinite != false else {
            throw LearnerDivergence(
                "the loss was \(report.loss ?? .nan) at update step \(report.step). Lower the learning rate or the noise, "
                    + "or set stability.skipNonFinite or stability.rollbackOnSpike.")
        }
        return report
    }

    /// RPO's uniform variates of a minibatch, [count, actionSize]: anew in each step, the same in each evaluation of it.
    private func drawn(_ memory: Tensor, _ count: Int, _ step: Int) -> Tensor {
        let rows = memory[0..<count]
        rows.withUnsafeMutableBytes { bytes in
            var span = bytes.assumingMemoryBound(to: Float.self).mutableSpan
            // A uniform variate of variance 1 reaches from −√3 to √3.
            NoiseStream(key: keys.robustPolicy, step: step, parameter: 0, term: 0).fill(
                &span, with: .uniform, scale: settings.robustPolicy / 3.0.squareRoot())
        }
        return rows
    }

    // MARK: State

    private struct Saved: Codable {
        var environmentSteps: Int
        var observationNormaliser: ObservationNormaliser?
        var rewardNormaliser: RewardNormaliser?
        var updates: UpdateGuard.Memory
        var copies: Data
    }

    private static let stateKey = "ppo"

    public func state() throws -> LearnerState {
        var state = LearnerState()
        let saved = Saved(
            environmentSteps: environmentSteps, observationNormaliser: observationNormaliser,
            rewardNormaliser: rewardNormaliser, updates: guardMemory, copies: try copies.snapshot())
        state.metadata[Self.stateKey] = try LearnerState.text(saved)
        return state
    }

    public func restore(_ metadata: [String: String], from file: SafetensorsFile) throws {
        let saved = try LearnerState.value(Saved.self, metadata[Self.stateKey], of: "ppo", in: file)
        guard
            saved.observationNormaliser?.moments.size == observationNormaliser?.moments.size,
            (saved.rewardNormaliser == nil) == (rewardNormaliser == nil)
        else { throw LearnerStateError("\(file.name): the state of ppo has other normalisers") }
        try copies.restore(saved.copies)
        environmentSteps = saved.environmentSteps
        observationNormaliser = saved.observationNormaliser
        rewardNormaliser = saved.rewardNormaliser
        guardMemory = saved.updates
    }
}
