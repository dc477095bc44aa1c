import Foundation

/// `negative-controls`: those that belong to no other experiment. Constant noise on a convex problem only adds a floor.
struct ConvexFloor: Reproduction {
    let id = "negative-controls"
    let title = "Noise where there is nothing to escape"
    let claim =
        "On a convex problem constant gradient noise only adds a floor to the loss, and annealed noise gains nothing."
    let source =
        "Theory: the stationary excess loss of SGD with noise of deviation σ is about ησ²d/4 in d well-curved directions"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 30 : 5 }

    func data(_ scale: ReproductionScale) -> [String] { scale == .full ? ["a9a"] : [] }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let seeds = context.pick(full: 8, quick: 2)
        let epochs = context.pick(full: 20, quick: 40)
        let config = """
            model: {mlp: {hidden: []}}
            data: \(context.pick(full: "a9a", quick: "digits"))
            training: {epochs: \(epochs), batchSize: 256, threads: 1, logEvery: 1000, checkpointEvery: \(epochs)}
            rule: {sgd: {learningRate: 0.5}}
            """
        let arms: [TrainedArms.Arm] = [
            .init(name: "none", summary: "SGD without noise"),
            .init(
                name: "constant", summary: "Gaussian noise, σ = 0.1",
                changes: "{perturbation: [{gaussian: {sigma: 0.1}}]}", isNegativeControl: true),
            .init(
                name: "annealed", summary: "Gaussian noise, σ = 0.1 to 0 in a line",
                changes: "{perturbation: [{gaussian: {sigma: {linear: {from: 0.1, to: 0}}}}]}",
                isNegativeControl: true),
        ]
        let trained = try TrainedArms(arms, of: config, settings: "metric: loss", seeds: seeds, context)
        var findings = ReproductionFindings(
            setUp:
                "logistic regression on \(context.pick(full: "a9a", quick: "the built-in digits")), batches of 256, "
                + "\(epochs) epochs of SGD with learning rate 0.5; \(seeds) seeds")
        findings.arms = trained.reported([.loss, .accuracy])
        findings.charts = [try trained.chart(.loss, title: "Test loss")]
        let constant = trained.difference("constant", from: "none", .loss)
        findings.check(
            "constant noise of σ = 0.1 adds at least 0.01 to the mean loss", constant.mean >= 0.01,
            measured: constant.words, isNegativeControl: true)
        let annealed = trained.difference("annealed", from: "none", .loss)
        findings.check(
            "annealed noise gains nothing: its mean loss is not lower by 0.005 or more",
            annealed.mean > -0.005, measured: annealed.words, isNegativeControl: true)
        findings.notes = [
            "The other negative controls are arms of their own experiments: deep-mnist, label-noise, valley, noisy-labels and "
                + "char-gpt."
        ]
        return findings
    }
}
