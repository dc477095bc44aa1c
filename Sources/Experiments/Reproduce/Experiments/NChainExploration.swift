import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import Torch

/// `nchain`: a reward at the far end of a chain is found by agents whose weights are noisy, and not by actions at random.
struct NChainExploration: Reproduction {
    let id = "nchain"
    let title = "Deep exploration on a chain"
    let claim =
        "Where the reward is 28 steps in one direction away, Double DQN finds it with noisy layers or noisy weights, and not "
        + "with ε-greedy actions."
    let source =
        "Osband et al. 2016, Deep Exploration via Bootstrapped DQN; Fortunato et al. 2018, Noisy Networks for Exploration; set-up of "
        + "Touati et al. 2020, Randomized Value Functions via Multiplicative Normalizing Flows"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 100 : 12 }

    private enum Kind: String, SmallProblemArm {
        case greedy = "epsilon-greedy"
        case noisyStep = "noisy-layers-step"
        case noisyEpisode = "noisy-layers"
        case parameterNoise = "parameter-noise"

        var summary: String {
            switch self {
            case .greedy: "ε from 1 to 0.1 over the run"
            case .noisyStep: "noisy layers, σ₀ = 0.4, a draw for each step"
            case .noisyEpisode: "noisy layers, σ₀ = 0.4, a draw for each episode"
            case .parameterNoise: "noise on the weights for an episode, σ adapts to a divergence of 0.1 nats"
            }
        }

        var independent: String? {
            switch self {
            case .greedy: "0 of 3 solved"
            case .noisyEpisode: "3 of 3 solved"
            case .noisyStep, .parameterNoise: nil
            }
        }

        var isNegativeControl: Bool { self == .greedy }

        func exploration(steps: Int) -> any Exploration {
            switch self {
            case .greedy:
                EpsilonGreedy(
                    epsilon: Scheduled(
                        LinearSchedule(from: 1, to: 0.1, steps: StepCount(integerLiteral: steps))))
            case .noisyStep: NoisyLayers(sigma: 0.4)
            case .noisyEpisode: NoisyLayers(sigma: 0.4, perEpisode: true)
            case .parameterNoise: ParameterNoise(sigma: 0.1, target: 0.1)
            }
        }
    }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let length = context.pick(full: 30, quick: 24)
        let episodes = context.pick(full: 1000, quick: 500)
        let seeds = (1...context.pick(full: UInt64(10), quick: 3)).map { $0 }
        var findings = ReproductionFindings(
            setUp:
                "NChain of N = \(length) states, \(episodes) episodes of \(length + 8) steps, \(seeds.count) seeds; Double DQN, "
                + "hidden layers 16 and 16, Adam 1e-3, γ = 0.999, replay 10,000, batches of 32, an update every 10 steps, "
                + "target network every 100; the best return is 10, turning left at once gets \(0.001 * Double(length + 7)) at most"
        )
        let found = try SmallProblemArms<Kind>(seeds: seeds, "return of the learnt policy, second half") {
            try Self.returns($0, seed: $1, length: length, episodes: episodes)
        }
        findings.arms = found.arms
        for kind in Kind.allCases { context.told("\(kind.rawValue): return \(found.range(kind).words)") }
        findings.charts = [
            .init(
                title: "Return of the learnt policy, without exploration", xTitle: "episode",
                yTitle: "return",
                isXLogarithmic: false, isYLogarithmic: false, lines: found.lines)
        ]
        for (kind, words) in [(Kind.noisyEpisode, "noisy layers"), (.parameterNoise, "parameter noise")] {
            let worst = found.range(kind).least
            findings.check(
                "with \(words) the learnt policy gets 5 of 10 or more on average over the second half, with every seed",
                worst >= 5, measured: "at least \(ReproductionReport.number(worst))")
        }
        let best = found.range(.greedy).greatest
        findings.check(
            "with ε-greedy actions it gets less than 5 with every seed", best < 5,
            measured: "at most \(ReproductionReport.number(best))", isNegativeControl: true)
        findings.notes = [
            "The return of the policy without exploration is measured 20 times; the number is the mean of the last ten, since "
                + "values swing: an episode's end depends on the time, which the agent does not see."
        ]
        return findings
    }

    /// The return of the policy without exploration at 20 moments, and at last the mean over the second half.
    private static func returns(
        _ kind: Kind, seed: UInt64, length: Int, episodes: Int
    ) throws -> [(x: Double, y: Double)] {
        // The cores are the cells'.
        Threads.count = 1
        let steps = episodes * (length + 8)
        var dqn = DoubleDQN()
        dqn.hidden = [16, 16]
        dqn.discount = 0.999
        dqn.batchSize = 32
        dqn.learningStarts = 100
        dqn.targetEvery = 100
        dqn.exploration = NamedExploration(kind.exploration(steps: steps))
        let learner = try dqn.makeLearner(
            LearnerSetup(
                copies: VectorEnvironment(NChain(length: length), copies: 1, seed: seed),
                equation: PerturbedEquation(rule: Adam(learningRate: 1e-3)), seed: seed, totalSteps: steps))
        var curve: [(x: Double, y: Double)] = [(0, try score(learner, length))]
        for moment in 1...20 {
            while learner.environmentSteps < steps * moment / 20 { _ = try learner.advance() }
            curve.append((Double(episodes * moment / 20), try score(learner, length)))
        }
        let late = curve.suffix(10).map(\.y)
        return curve.dropLast() + [(x: Double(episodes), y: late.reduce(0, +) / Double(late.count))]
    }

    /// The return of one episode, in which nothing is random.
    private static func score(_ learner: any Learner, _ length: Int) throws -> Double {
        let copies = try VectorEnvironment(NChain(length: length), copies: 1, seed: 0)
        var action: [Float] = [0]
        repeat {
            var span = action.mutableSpan
            try learner.act(on: Array(copies.observations).span, count: 1, into: &span)
            try copies.step(action)
        } while !copies.terminated[0]
        return copies.episodeReturns[0]
    }
}
