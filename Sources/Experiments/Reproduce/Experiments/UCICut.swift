import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Statistics
import Torch
import TorchNN
import Training

/// One cut of one data set: what every arm of ``UCI`` predicts of the test part.
struct UCICut {
    enum Arm: String, CaseIterable, Hashable, Sendable {
        case point, ensemble, sghmc, swag

        var summary: String {
            switch self {
            case .point: "the first member of the ensemble: a maximum of the posterior (MAP)"
            case .ensemble: "a deep ensemble of MAP estimates"
            case .sghmc: "samples by stochastic gradient Hamiltonian Monte Carlo, chains from the members"
            case .swag: "MultiSWAG: a normal distribution around each member"
            }
        }
    }

    /// Root mean squared error, and the mean log density of what was observed: in the numbers' own unit.
    struct Score: Sendable {
        var rmse: Double
        var logDensity: Double
    }

    struct Outcome: Sendable {
        /// The deviations that were chosen, standardised: of the noise, and of the prior.
        var noise: Double
        var prior: Double
        var scores: [Arm: Score]
    }

    /// How much is computed.
    struct Plan: Sendable {
        /// Steps of a point estimate, and of one that is to choose.
        var modeSteps: Int
        var choosingSteps: Int
        var members: Int
        var chainSteps: Int
        var swagSteps: Int
        /// Draws of each chain, and of each normal distribution.
        var draws: Int

        static let full = Plan(
            modeSteps: 4000, choosingSteps: 2000, members: 5, chainSteps: 6000, swagSteps: 1500, draws: 30)
        static let quick = Plan(
            modeSteps: 1500, choosingSteps: 600, members: 3, chainSteps: 4000, swagSteps: 400, draws: 20)
    }

    /// The noise's and the prior's deviations that are tried.
    static let noises = [0.02, 0.04, 0.07, 0.12, 0.2, 0.3, 0.45, 0.75]
    static let priors = [0.5, 1]
    static let batch = 64
    /// Examples of a batch of a chain, at most: the noise of small ones would heat it.
    static let chainBatch = 2048
    /// η·N/s² of a chain, and η/s² of SWAG's path: in the measure of the curvature that the noise gives the losses.
    static let (chainStep, swagStep) = (0.01, 0.01)
    private static let network = MLP(hidden: [50])

    private let data: Dataset
    private let plan: Plan
    private let key: NoiseKey

    init(_ data: Dataset, _ plan: Plan, seed: UInt64) {
        self.data = data
        self.plan = plan
        key = NoiseKey(seed: seed).derived("uci")
    }

    func run() throws -> Outcome {
        // A cut runs on one thread, beside others.
        Threads.count = 1
        let (noise, prior) = try chosen()
        let shown = try ShownNumbers(data.test, of: data.kind)
        let members = try (0..<plan.members).map {
            try mode(on: data, noise, prior, member: $0, steps: plan.modeSteps)
        }
        let points = try members.map { try shown.predict($0.model) }
        let sampled = try members.enumerated().flatMap { try samples($1, $0, noise, prior, shown) }
        let fitted = try members.enumerated().flatMap { try swag($1, $0, noise, prior, shown) }
        return Outcome(
            noise: noise, prior: prior,
            scores: [
                .point: shown.score([points[0]], noise: noise), .ensemble: shown.score(points, noise: noise),
                .sghmc: shown.score(sampled, noise: noise), .swag: shown.score(fitted, noise: noise),
            ])
    }

    /// The deviations with which a point estimate on four fifths predicts the last fifth best.
    private func chosen() throws -> (noise: Double, prior: Double) {
        let held = try data.carvingValidation(count: data.train.count / 5)
        let shown = try ShownNumbers(held.validation!, of: held.kind)
        var best = (noise: 0.0, prior: 0.0, logDensity: -Double.infinity)
        for noise in Self.noises {
            for prior in Self.priors {
                let model = try mode(on: held, noise, prior, member: 0, steps: plan.choosingSteps).model
                let found = shown.score([try shown.predict(model)], noise: noise).logDensity
                if found > best.logDensity { best = (noise, prior, found) }
            }
        }
        return (best.noise, best.prior)
    }

    /// A maximum of the posterior.
    private func mode(
        on data: Dataset, _ noise: Double, _ prior: Double, member: Int, steps: Int
    ) throws -> NetworkChain {
        let rate = Scheduled(CosineSchedule(from: 0.01, to: 0, steps: .steps(steps)))
        let chain = try chain(
            PerturbedEquation(rule: Adam(learningRate: rate)), on: data, noise, prior, batch: Self.batch,
            member: member, steps: steps)
        for _ in 0..<steps { _ = try chain.step(measuring: false) }
        return chain
    }

    /// The predictions of the draws of a chain that begins at a member.
    private func samples(
        _ member: NetworkChain, _ number: Int, _ noise: Double, _ prior: Double, _ shown: ShownNumbers
    ) throws -> [[Double]] {
        let count = data.train.count
        let rate = Self.chainStep * noise * noise / Double(count)
        let equation = try PerturbedEquation(rule: SGHMC(learningRate: Scheduled(rate), friction: 0.05))
            .sampling(MinibatchScale(examples: count))
        let chain = try chain(
            equation, on: data, noise, prior, batch: Self.chainBatch, member: number, steps: plan.chainSteps,
            from: member)
        let schedule = SamplingSchedule(
            steps: plan.chainSteps, thin: max(1, plan.chainSteps / 2 / plan.draws))
        return try draws(of: chain, schedule, shown)
    }

    /// The predictions of the draws of SWAG along a path that begins at a member.
    private func swag(
        _ member: NetworkChain, _ number: Int, _ noise: Double, _ prior: Double, _ shown: ShownNumbers
    ) throws -> [[Double]] {
        let posterior = SWAG(rank: 10, draws: plan.draws)
        let path = SamplingSchedule(steps: plan.swagSteps, thin: max(1, plan.swagSteps / 2 / 20))
        let chain = try chain(
            PerturbedEquation(rule: SGD(learningRate: Scheduled(Self.swagStep * noise * noise))), on: data,
            noise,
            prior, batch: Self.batch, member: number, steps: plan.swagSteps, from: member)
        let gathering = GatheringChain(
            chain, posterior.distribution(over: chain.optimizer.parameters, along: path)!,
            steps: plan.swagSteps, key: key.derived(UInt64(number)))
        return try draws(of: gathering, posterior.schedule(path), shown, model: chain.model)
    }

    private func draws(
        of chain: any MarkovChain, _ schedule: SamplingSchedule, _ shown: ShownNumbers, model: any Module
    ) throws -> [[Double]] {
        var found: [[Double]] = []
        for taken in 1...schedule.steps {
            guard try chain.step(measuring: false).outcome == .applied else {
                throw TrainingStopped(
                    .diverged, "a chain on \(data.name) exploded at step \(taken)", step: taken,
                    checkpointStep: nil)
            }
            if schedule.keeps(after: taken) { found.append(try shown.predict(model)) }
        }
        return found
    }

    private func draws(
        of chain: NetworkChain, _ schedule: SamplingSchedule, _ shown: ShownNumbers
    ) throws -> [[Double]] { try draws(of: chain, schedule, shown, model: chain.model) }

    private func chain(
        _ equation: PerturbedEquation, on data: Dataset, _ noise: Double, _ prior: Double, batch: Int,
        member: Int, steps: Int, from start: NetworkChain? = nil
    ) throws -> NetworkChain {
        let key = key.derived("member").derived(UInt64(member))
        let chain = try NetworkChain(
            try Self.network.build(for: data.kind, seed: key.derived("initialise").seed), on: data,
            likelihood: .gaussian(deviation: noise), prior: GaussianPrior(deviation: prior),
            equation: equation, scale: MinibatchScale(examples: data.train.count),
            batchSize: min(batch, data.train.count), probes: 0, key: key, steps: steps)
        try start?.withParameters { from in
            try chain.withParameters { to in
                for (from, to) in zip(from, to) { to.copyMemory(from: UnsafeRawBufferPointer(from)) }
            }
        }
        return chain
    }
}

/// Examples whose numbers are predicted.
private struct ShownNumbers {
    private let batch: Batch
    private let targets: [Double]
    private let scale: TargetScale

    init(_ split: DataSplit, of kind: ExampleKind) throws {
        // The tensors are this loader's alone, and stay as they are.
        batch = try BatchLoader(split, of: kind).load(
            .init(Array(0..<split.count)[...], step: 0, epoch: 0))
        targets = split.numbers.map(Double.init)
        scale = kind.target.scale ?? TargetScale()
    }

    func predict(_ model: any Module) throws -> [Double] {
        let output = withoutGradients { model.forward(batch.inputs, .evaluation) }
        try Libtorch.checkHeldFailure()
        return try output.contiguous().array(of: Float.self).map(Double.init)
    }

    /// The score of p(y) = (1/S)·Σ N(y; μₛ, s²).
    func score(_ predictions: [[Double]], noise: Double) -> UCICut.Score {
        let deviations = [Double](repeating: noise, count: predictions.count)
        var (squares, logs) = (0.0, 0.0)
        for (example, target) in targets.enumerated() {
            let mixture = NormalMixture(means: predictions.map { $0[example] }, deviations: deviations)
            squares += (mixture.mean - target) * (mixture.mean - target)
            logs += mixture.logDensity(target)
        }
        let count = Double(targets.count)
        return .init(
            rmse: (squares / count).squareRoot() * scale.deviation,
            logDensity: logs / count - log(scale.deviation))
    }
}
