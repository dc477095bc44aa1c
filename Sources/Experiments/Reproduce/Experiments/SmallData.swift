import Foundation
import Safetensors
import Training

/// `small-data`: sharpness-aware steps with few training images, by accuracy, calibration, attack and noise.
struct SmallData: Reproduction {
    let id = "small-data"
    let title = "Few training images"
    let claim =
        "With 2,000 images, SAM is more accurate, better calibrated, and more robust to attacks and to noise than SGD, also than "
        + "SGD with as many gradients."
    let source =
        "Foret, Kleiner, Mobahi, Neyshabur 2021, Sharpness-Aware Minimization for Efficiently Improving Generalization"

    func seconds(_ scale: ReproductionScale) -> Double { scale == .full ? 200 : 5 }

    func data(_ scale: ReproductionScale) -> [String] { scale == .full ? ["mnist"] : [] }

    private static let loss = TrainedArms.Quantity(name: "NLL, nats", metric: "loss")
    private static let calibration = TrainedArms.Quantity(name: "ECE, %", metric: "ece", factor: 100)
    private static let fast = TrainedArms.Quantity(
        name: "accuracy under FGSM, %", metric: "fgsm", factor: 100)
    private static let strong = TrainedArms.Quantity(
        name: "accuracy under PGD-20, %", metric: "pgd", factor: 100)
    private static let noise = TrainedArms.Quantity(
        name: "accuracy under input noise, %", metric: "noise", factor: 100)

    func run(_ context: ReproductionContext) throws -> ReproductionFindings {
        let (seeds, epochs) = (context.pick(full: 6, quick: 2), context.pick(full: 100, quick: 40))
        let radii = context.pick(full: [0.05, 0.1, 0.2, 0.3, 0.5], quick: [0.1, 0.3])
        let config = """
            model: {mlp: {hidden: \(context.pick(full: [256, 256], quick: [64, 64]))}}
            data: {subset: {of: \(context.pick(full: "mnist, count: 2000", quick: "digits, count: 300"))}}
            training:
              epochs: \(epochs)
              batchSize: \(context.pick(full: 128, quick: 32))
              threads: 1
              logEvery: 1000
              checkpointEvery: \(epochs)
              evaluateEvery: \(epochs / 10)
            rule: {momentum: {learningRate: {cosine: {from: 0.05, to: 0}}, momentum: 0.9}}
            """
        let arms: [TrainedArms.Arm] = [
            .init(name: "sgd", summary: "momentum 0.9", independent: context.pick(full: "91.1", quick: nil)),
            .init(
                name: "sgd-twice", summary: "twice the epochs: as many gradients as SAM",
                changes: "{training.epochs: \(2 * epochs)}"),
            .init(
                name: "sam", summary: "SAM, its radius chosen on held-out data",
                changes:
                    "{parameterPerturbation: {sam: {rho: 0.1}}, choose: {parameterPerturbation.sam.rho: \(radii)}}",
                independent: context.pick(full: "93.2", quick: nil)),
            .init(
                name: "sgld", summary: "one sample of SGLD's chain: temperature 1, prior N(0, 1)",
                changes: Self.sample(of: context.pick(full: 2000, quick: 300)), isNegativeControl: true),
        ]
        var trained = try TrainedArms(
            arms, of: config,
            settings: "choose: {seeds: \(context.pick(full: 3, quick: 1)), fraction: 0.2}", seeds: seeds,
            context)
        try trained.measure { try Self.measured($0, context) }
        var findings = ReproductionFindings(
            setUp: context.pick(
                full: "2,000 images of MNIST, MLP 784-256-256-10, batches of 128",
                quick: "300 of the built-in digits, MLP 64-64-64-10, batches of 32")
                + ", momentum 0.9, learning rate 0.05 to 0 by a cosine, \(epochs) epochs; SAM's ρ from \(radii) on a fifth of the "
                + "training data; FGSM and PGD-20 with ε = 0.1 and Gaussian noise of σ = 0.5, in pixels of 0 to 1; \(seeds) "
                + "seeds")
        findings.arms = trained.reported([
            .accuracy, Self.loss, Self.calibration, Self.fast, Self.strong, Self.noise,
        ])
        if !context.isQuick { Self.addIndependentFigures(&findings) }
        findings.charts = [try trained.chart(.accuracy, title: "Test accuracy")]
        Self.judge(trained, context, &findings)
        return findings
    }

    /// SGLD with a gradient step of ηN = 0.01 and a prior of precision Nλ = 1; its θ is sampled, not fitted.
    private static func sample(of count: Int) -> String {
        "{rule: {sgld: {learningRate: \(0.01 / Double(count)), dataSize: \(count), "
            + "weightDecay: \(1 / Double(count))}}}"
    }

    private static func judge(
        _ trained: TrainedArms, _ context: ReproductionContext, _ findings: inout ReproductionFindings
    ) {
        for (other, words) in [("sgd", "SGD"), ("sgd-twice", "SGD with as many gradients")] {
            let accuracy = trained.difference("sam", from: other, .accuracy)
            findings.check(
                "SAM's accuracy is above that of \(words) in the mean", accuracy.mean > 0,
                measured: "\(accuracy.words) points")
            let loss = trained.difference("sam", from: other, loss)
            findings.check(
                "SAM's NLL is below that of \(words) in the mean", loss.mean < 0,
                measured: "\(loss.words) nats")
        }
        guard !context.isQuick else { return }
        let calibration = trained.difference("sam", from: "sgd-twice", calibration)
        findings.check(
            "SAM's expected calibration error is below that of SGD with as many gradients in the mean",
            calibration.mean < 0, measured: "\(calibration.words) points")
        for (quantity, words, least) in [(fast, "FGSM", 10.0), (strong, "PGD-20", 5), (noise, "noise", 2)] {
            let gain = trained.difference("sam", from: "sgd-twice", quantity)
            findings.check(
                "under \(words), SAM's accuracy is above that of SGD with as many gradients by at least "
                    + "\(ReproductionReport.number(least)) points in the mean", gain.mean >= least,
                measured: "\(gain.words) points")
        }
        let sample = trained.difference("sgld", from: "sgd", fast)
        findings.check(
            "one sample of SGLD is no defence: under FGSM its accuracy is not above SGD's by 5 points in the mean",
            sample.mean < 5, measured: "\(sample.words) points", isNegativeControl: true)
    }

    /// What the independent script measured, beside the other quantities.
    private static func addIndependentFigures(_ findings: inout ReproductionFindings) {
        let figures = [
            "sgd": [loss.name: "0.46", calibration.name: "5.6", fast.name: "17.7", noise.name: "77.9"],
            "sam": [loss.name: "0.31", calibration.name: "3.9", fast.name: "43.5", noise.name: "85.0"],
        ]
        for arm in findings.arms.indices {
            for measure in findings.arms[arm].measures.indices {
                let quantity = findings.arms[arm].measures[measure].quantity
                if let figure = figures[findings.arms[arm].name]?[quantity] {
                    findings.arms[arm].measures[measure].independent = figure
                }
            }
        }
    }

    /// Calibration and robustness of a run, which are measured once and kept beside it.
    private static func measured(_ run: URL, _ context: ReproductionContext) throws -> [String: Double] {
        let file = run.appendingPathExtension("evaluation.json")
        let report: EvaluationReport
        if FileManager.default.fileExists(atPath: file.path) {
            report = try EvaluationReport(contentsOf: file)
        } else {
            var settings = RobustnessSettings()
            settings.epsilons = [0.1]
            settings.damage = []
            settings.noise = [0.5]
            settings.noiseStaysInRange = false
            settings.labelRates = []
            settings.memorisation = false
            do {
                report = try RunEvaluation(run: run).report([.quality, .robustness], robustness: settings)
            } catch var stopped as TrainingStopped {
                stopped.message = "interrupted; everything is saved. The same command goes on"
                throw stopped
            }
            try AtomicFile.write(try JSON.encoder().encode(report), to: file)
            context.told(
                "\(run.deletingLastPathComponent().lastPathComponent), \(run.lastPathComponent): evaluated")
        }
        let attacks = report.robustness?.attacks ?? []
        return [
            "ece": report.quality?.classes?.calibration.equalWidthError ?? .nan,
            "fgsm": attacks.first { $0.name == "FGSM" }?.result.accuracy ?? .nan,
            "pgd": attacks.first { $0.name == "PGD-20" }?.result.accuracy ?? .nan,
            "noise": report.robustness?.noise.first?.result.accuracy ?? .nan,
        ]
    }
}
