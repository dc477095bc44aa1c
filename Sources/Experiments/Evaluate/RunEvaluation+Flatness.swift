import Models
import PerturbedEquations
import Torch
import Training

extension RunEvaluation {
    /// How the loss on training examples curves around the weights.
    ///
    /// - Throws: `ModelError` (`notFinite`) for a loss that is not finite; `TorchError`; `TrainingStopped` where a stop
    ///   was asked for.
    public func flatness(_ settings: FlatnessSettings = .init()) throws -> FlatnessReport {
        try flatnessAndNote(settings).report
    }

    /// With a note where something could not be measured.
    func flatnessAndNote(_ settings: FlatnessSettings) throws -> (report: FlatnessReport, note: String?) {
        let train = plan.data.train
        let isTokens = if case .tokens = plan.data.kind.input { true } else { false }
        let positions = sample(settings.examples ?? (isTokens ? 64 : 1024), of: train.count, "flatness")
        // A sequence is many targets: their scores have to fit too.
        let size = min(batchSize, Evaluation.batchSize(plan.data.kind))
        let surface = try LossSurface(plan, positions: positions, batch: size, step: step)
        let (gradient, loss) = try surface.gradient()
        guard loss.isFinite else {
            throw ModelError(
                code: .notFinite,
                message:
                    "the loss on the training data is \(loss): the weights, or the inputs, are not finite")
        }
        var report = FlatnessReport(
            examples: positions.count, loss: loss, gradientNorm: gradient.norm, sharpness: [], slices: [])
        say("flatness: \(positions.count) training examples, loss \(short(loss))")
        var note: String?
        do {
            let top = try TopEigenvalue.measure(
                surface, tolerance: settings.tolerance, limit: settings.iterations, key: key)
            say(
                "flatness: top eigenvalue \(short(top.value)), residual \(short(top.residual)) after "
                    + "\(top.iterations) products")
            report.topEigenvalue = top
            let trace = try HessianTrace.measure(surface, probes: settings.probes, key: key)
            say("flatness: trace \(short(trace.value)) ± \(short(trace.standardError ?? .nan))")
            report.trace = trace
        } catch let error as TorchError where error.isMissingDerivative {
            note =
                "flatness: the Hessian's eigenvalue and trace do not apply to this run: an operation of the model has no "
                + "second derivative (\(error.message.split(separator: "\n").first ?? ""))"
        }
        for rho in settings.rhos {
            let found = try Sharpness.measure(surface, rho: rho, steps: settings.ascentSteps, key: key)
            say(
                "flatness: sharpness within ρ = \(short(rho)): \(short(found.oneStep)) by one step, "
                    + "\(short(found.ascent)) by ascent")
            report.sharpness.append(found)
        }
        if settings.slicePoints > 0 {
            for direction in SliceDirection.allCases {
                report.slices.append(
                    try LossSlice.measure(
                        surface, direction, points: settings.slicePoints, span: settings.span, key: key))
                say("flatness: slice along a \(direction.words) direction")
            }
        }
        if settings.gridPoints > 0 {
            report.grid = try LossGrid.measure(
                surface, .filterNormalised, points: settings.gridPoints, span: settings.span, key: key)
            say("flatness: grid of \(settings.gridPoints)×\(settings.gridPoints)")
        }
        return (report, note)
    }
}

extension SliceDirection {
    /// For people.
    var words: String {
        switch self {
        case .random: "random"
        case .filterNormalised: "filter-normalised"
        }
    }
}
