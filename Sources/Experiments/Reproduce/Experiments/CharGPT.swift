import Foundation

/// `char-gpt`: a language model in nanoGPT's setting for a CPU, and what noise on Adam's gradient does to it.
struct CharGPT: Reproduction {
    let id = "char-gpt"
    let title = "A character-level language model"
    let claim =
        "A small GPT reaches nanoGPT's loss on tiny Shakespeare; plain gradient noise on AdamW gains nothing."
    let source =
        "Karpathy, nanoGPT, README: \"I only have a macbook\" (loss 1.88); noise: Neelakantan et al. 2015"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 780 : 15 }

    func data(_ scale: ReproductionScale) -> [String] { ["tinyshakespeare"] }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let seeds = context.pick(full: 3, quick: 2)
        let length = context.pick(full: 64, quick: 32)
        let shape = context.pick(
            full: "layers: 4, heads: 4, width: 128", quick: "layers: 1, heads: 2, width: 32")
        let (steps, warmup) = (context.pick(full: 2000, quick: 300), context.pick(full: 100, quick: 10))
        let rates = context.pick(full: [1e-3, 3e-3], quick: [3e-3, 1e-2])
        let config = """
            model: {gpt: {\(shape)}}
            data: {tinyshakespeare: {length: \(length)}}
            training:
              steps: \(steps)
              batchSize: 12
              threads: 1
              logEvery: 100
              evaluateEvery: {steps: \(steps / context.pick(full: 4, quick: 1))}
            rule: {adamW: {learningRate: {cosine: {from: \(rates[0]), to: 1.0e-4, warmup: \(warmup)}}, beta2: 0.99, weightDecay: 0.1}}
            stability: {clipGlobalNorm: 1.0}
            """
        let choice = "rule.adamW.learningRate.cosine.from: \(rates)"
        let ratio = "perturbation.0.gaussian.sigma.relative.inversePower.from"
        let arms: [TrainedArms.Arm] = [
            .init(
                name: "plain", summary: "AdamW with learning rate \(ReproductionReport.number(rates[0]))",
                published: context.pick(full: "1.88", quick: nil)),
            .init(
                name: "tuned", summary: "AdamW, its learning rate chosen on held-out data",
                changes: "{choose: {\(choice)}}"),
            .init(
                name: "noise",
                summary: "the same, and Gaussian noise σ(t) = r·RMS(g)·(1 + t)^−0.55, r chosen too",
                changes:
                    "{perturbation: [{gaussian: {sigma: {relative: {inversePower: {from: 1, exponent: 0.55}}}}}], "
                    + "choose: {\(choice), \(ratio): [1, 10]}}", isNegativeControl: true),
        ]
        let trained = try TrainedArms(
            arms, of: config, settings: "metric: loss\nchoose: {seeds: 1}", seeds: seeds, context)
        var findings = ReproductionFindings(
            setUp:
                "GPT, \(shape), blocks of \(length) characters, batches of 12, \(steps) steps of AdamW with a learning rate "
                + "from \(rates) to 1e-4 by a cosine, β₂ 0.99, weight decay 0.1, gradients clipped to norm 1; loss on the last "
                + "tenth of the text; \(seeds) seeds")
        findings.arms = trained.reported([.loss])
        findings.charts = [try trained.chart(.loss, title: "Test loss")]
        let (name, limit) = context.pick(full: ("plain", 1.93), quick: ("tuned", 2.8))
        let loss = trained.mean(name, .loss)
        findings.check(
            context.pick(
                full: "the mean loss is at most 1.93, nanoGPT's 1.88 + 0.05",
                quick: "the mean loss is at most 2.8 (the characters' frequencies alone: 3.3)"),
            loss <= limit,
            measured: ReproductionReport.number(loss))
        let difference = trained.difference("noise", from: "tuned", .loss)
        let least = context.pick(full: 0.02, quick: 0.1)
        findings.check(
            "noise gains nothing: its mean loss is not lower than without it by \(least) or more",
            difference.mean > -least, measured: difference.words, isNegativeControl: true)
        findings.notes = [
            "nanoGPT's 1.88 is of 20 batches of its validation part; here the loss is over all of it."
        ]
        return findings
    }
}
