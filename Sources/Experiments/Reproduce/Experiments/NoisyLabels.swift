import Foundation

/// `noisy-labels`: sharpness-aware steps fit fewer of the wrong labels.
struct NoisyLabels: Reproduction {
    let id = "noisy-labels"
    let title = "Wrong labels"
    let claim =
        "With 40% of the labels drawn anew, SAM generalises better than SGD, also than SGD with as many gradients."
    let source =
        "Foret, Kleiner, Mobahi, Neyshabur 2021, Sharpness-Aware Minimization for Efficiently Improving Generalization"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 480 : 10 }

    func data(_ scale: ReproductionScale) -> [String] { scale == .full ? ["mnist"] : [] }

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let (seeds, epochs) = (context.pick(full: 6, quick: 2), context.pick(full: 40, quick: 60))
        let radii = context.pick(full: [0.05, 0.1, 0.2, 0.3, 0.5], quick: [0.1, 0.3])
        let config = """
            model: {mlp: {hidden: \(context.pick(full: [512, 512], quick: [128, 128]))}}
            data: \(context.pick(full: "{subset: {of: mnist, count: 10000}}", quick: "digits"))
            training:
              epochs: \(epochs)
              batchSize: \(context.pick(full: 128, quick: 64))
              threads: 1
              logEvery: 1000
              checkpointEvery: \(epochs)
              evaluateEvery: \(context.pick(full: 2, quick: 10))
              labelNoise: {rate: 0.4, redraw: once}
            rule: {momentum: {learningRate: {cosine: {from: 0.05, to: 0}}, momentum: 0.9}}
            """
        let arms: [TrainedArms.Arm] = [
            .init(
                name: "sgd", summary: "momentum 0.9",
                published: "68.8 (CIFAR-10, ResNet-32)",
                independent: context.pick(full: "about 74.5", quick: nil)),
            .init(
                name: "sgd-twice", summary: "twice the epochs: as many gradients as SAM",
                changes: "{training.epochs: \(2 * epochs)}"),
            .init(
                name: "sam", summary: "SAM, its radius chosen on held-out data",
                changes:
                    "{parameterPerturbation: {sam: {rho: 0.1}}, choose: {parameterPerturbation.sam.rho: \(radii)}}",
                published: "93.4 (CIFAR-10, ResNet-32)",
                independent: context.pick(full: "about 89.3", quick: nil)),
            .init(
                name: "gradient-noise",
                summary: "Gaussian noise of variance 0.01/(1 + t)^0.55 under momentum",
                changes:
                    "{perturbation: [{gaussian: {sigma: {annealedGradientNoise: {eta: 0.01}}}}]}",
                independent: context.pick(full: "about 13", quick: nil), isNegativeControl: true),
            .init(
                name: "sam-1.0", summary: "SAM with a radius of 1, far too large",
                changes: "{parameterPerturbation: {sam: {rho: 1.0}}}",
                independent: context.pick(full: "about 11", quick: nil), isNegativeControl: true),
        ]
        let trained = try TrainedArms(
            arms, of: config, settings: "choose: {seeds: \(context.pick(full: 2, quick: 1))}", seeds: seeds,
            context)
        var findings = ReproductionFindings(
            setUp: context.pick(
                full: "10,000 images of MNIST, 40% of the labels drawn anew once, MLP 784-512-512-10",
                quick: "the built-in digits, 40% of the labels drawn anew once, MLP 64-128-128-10")
                + ", momentum 0.9, learning rate 0.05 to 0 by a cosine, \(epochs) epochs; SAM's ρ from \(radii) on a tenth of "
                + "the training data, with right labels; \(seeds) seeds; accuracy after the last epoch")
        findings.arms = trained.reported([.accuracy])
        findings.charts = [try trained.chart(.accuracy, title: "Test accuracy")]
        let least = context.pick(full: 5.0, quick: 2.0)
        for (other, words) in [("sgd", "SGD"), ("sgd-twice", "SGD with as many gradients")] {
            let gain = trained.difference("sam", from: other, .accuracy)
            findings.check(
                "SAM beats \(words) by at least \(ReproductionReport.number(least)) points in the mean",
                gain.mean >= least, measured: "\(gain.words) points")
        }
        for (name, words) in [
            ("gradient-noise", "Gaussian noise of η = 0.01 under momentum 0.9"),
            ("sam-1.0", "SAM with ρ = 1"),
        ] {
            let gain = trained.difference(name, from: "sgd", .accuracy)
            findings.check(
                "\(words) is no help: its mean is below SGD's", gain.mean < 0,
                measured: "\(gain.words) points", isNegativeControl: true)
        }
        return findings
    }
}
