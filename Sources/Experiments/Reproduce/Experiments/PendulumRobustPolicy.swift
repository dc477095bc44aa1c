import Foundation

/// `pendulum`: a uniform variate on the action mean in PPO's updates, and how much of its gain is its own.
struct PendulumRobustPolicy: Reproduction {
    let id = "pendulum"
    let title = "Robust policy optimisation on a pendulum"
    let claim =
        "RPO swings the pendulum up where CleanRL's plain PPO fails; plain PPO that bootstraps truncated episodes does so too."
    let source =
        "Rahman and Xue 2022, Robust Policy Optimization in Deep Reinforcement Learning; set-up and figures of CleanRL, "
        + "rpo_continuous_action.py"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 400 : 12 }

    private static let arms: [TrainedArms.Arm] = [
        .init(
            name: "ppo", summary: "plain PPO; the end of a truncated episode counts as worth nothing",
            changes: "{agent.ppo.robustPolicy: 0}", published: "−1142 ± 136 at 8M",
            independent: "−733 at 500k"),
        .init(
            name: "rpo", summary: "the same with U(−0.5, 0.5) on the action mean in updates",
            published: "−151 ± 4 at 8M", independent: "−170 at 500k"),
        .init(
            name: "ppo-bootstrapped",
            summary: "plain PPO; the end of a truncated episode is worth what the critic says",
            changes: "{agent.ppo.robustPolicy: 0, agent.ppo.bootstrapTruncated: true}",
            isNegativeControl: true),
    ]

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let seeds = context.pick(full: 5, quick: 2)
        let steps = context.pick(full: 1_000_000, quick: 50_000)
        let discount = context.pick(full: 0.99, quick: 0.9)
        let rate = context.pick(full: "{linear: {from: 3e-4, to: 0}}", quick: "1e-3")
        let shape = context.pick(
            full: (copies: 1, rollout: 2048, minibatches: 32),
            quick: (copies: 4, rollout: 256, minibatches: 16))
        let config = """
            environment: Pendulum-v1
            agent:
              ppo:
                robustPolicy: 0.5
                bootstrapTruncated: false
                discount: \(discount)
                rolloutLength: \(shape.rollout)
                minibatches: \(shape.minibatches)
                epochs: 10
                entropyCoefficient: 0
                normaliseObservations: true
                normaliseRewards: true
            training:
              steps: \(steps)
              copies: \(shape.copies)
              logEvery: \(steps / 50)
              checkpointEvery: \(steps / 10)
              evaluationEpisodes: \(context.pick(full: 100, quick: 50))
            rule: {adam: {learningRate: \(rate), epsilon: 1e-5}}
            stability: {clipGlobalNorm: 0.5}
            """
        let stated = Self.arms.map { arm in
            var arm = arm
            if context.isQuick { (arm.published, arm.independent) = (nil, nil) }
            return arm
        }
        let trained = try TrainedArms(
            stated, of: config, settings: "metric: evaluation.return", seeds: seeds, context)
        let quantity = TrainedArms.Quantity(
            name: "return without exploration", metric: "evaluation.return")
        var findings = ReproductionFindings(
            setUp:
                "Pendulum-v1, \(steps) steps in \(shape.copies) copies, rollouts of \(shape.rollout) steps, "
                + "\(shape.minibatches) minibatches, 10 epochs, γ = \(discount), λ = 0.95, Adam \(rate), gradients clipped to "
                + "norm 0.5, observations and rewards normalised; every episode is truncated at 200 steps; \(seeds) seeds"
        )
        findings.arms = trained.reported([quantity])
        findings.charts = [
            try trained.chart(
                TrainedArms.Quantity(name: "return", metric: "return"),
                title: "Mean return of the last 100 episodes of training", of: .train)
        ]
        let (rpo, control) = (trained.mean("rpo", quantity), trained.mean("ppo-bootstrapped", quantity))
        let least = context.pick(full: -250.0, quick: -600)
        findings.check(
            "RPO's mean return is \(number(least)) or more (actions at random: about −1200)", rpo >= least,
            measured: number(rpo))
        if !context.isQuick {
            let difference = trained.difference("rpo", from: "ppo", quantity)
            findings.check(
                "RPO's mean return is above plain PPO's by 500 or more", difference.mean >= 500,
                measured: difference.words)
        }
        let reached = context.pick(full: -400.0, quick: -600)
        findings.check(
            "plain PPO that bootstraps truncated episodes gets \(number(reached)) or more on average, without RPO",
            control >= reached, measured: number(control), isNegativeControl: true)
        findings.notes = context.pick(
            full: [
                "Published figures are of 8M steps. CleanRL's PPO counts the end of a truncated episode as worth nothing, which "
                    + "is wrong for a pendulum that would go on: RPO's gain over it is not all RPO's own."
            ], quick: ["With γ = 0.9 all arms learn: this says that they work, not which is better."])
        return findings
    }

    private func number(_ value: Double) -> String { ReproductionReport.number(value) }
}
