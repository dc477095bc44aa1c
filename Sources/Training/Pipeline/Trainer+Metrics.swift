import Datasets
import Foundation
import PerturbedEquations
import PerturbedTorch
import Safetensors
import TorchNN

extension Trainer {
    /// Logs a step if it is one of those that are logged, or if the stability controller stepped in.
    func logStep(_ outcome: TrainingStep.Outcome, epoch: Int) throws {
        let report = outcome.report
        let event = report.outcome == .applied ? nil : report.outcome.rawValue
        guard step % plan.settings.logEvery == 0 || event != nil else { return }
        var values: [(String, Double)] = [("loss", outcome.loss)]
        func add(_ name: String, _ value: Double?) { if let value { values.append((name, value)) } }
        add("accuracy", outcome.accuracy)
        add("learningRate", report.learningRate)
        add("sigma", report.sigma)
        add("gradientNorm", report.gradientNorm)
        add("perturbationNorm", report.perturbationNorm)
        add("perturbationToGradient", report.perturbationToGradient)
        add("effectivePerturbation", report.effectivePerturbation)
        if !optimizer.core.equation.controllers.isEmpty {
            add("strengthFactor", report.strengthFactor)
            add("learningRateFactor", report.learningRateFactor)
        }
        if report.varianceScale != 1 { add("varianceScale", report.varianceScale) }
        if report.trustScale != 1 { add("trustScale", report.trustScale) }
        if report.clipScale != 1 { add("clipScale", report.clipScale) }
        if report.boundScale != 1 { add("boundScale", report.boundScale) }
        try append(
            MetricsRecord(kind: .train, step: step, epoch: epoch, values: values, event: event)
        )
    }

    private func append(_ record: MetricsRecord) throws {
        try log.append(record)
        try board.append(record)
    }

    /// Shows the state of the run: the newest loss, and the values of the last step that was measured.
    func show(_ outcome: TrainingStep.Outcome, measured: TrainingStep.Outcome?, epoch: Int) {
        reporter.show(
            TrainingSnapshot(
                step: step, totalSteps: plan.totalSteps, epoch: epoch,
                epochs: plan.totalEpochs,
                loss: outcome.loss, accuracy: measured?.accuracy, learningRate: outcome.report.learningRate,
                sigma: outcome.report.sigma ?? measured?.report.sigma,
                perturbationRatio: measured?.report.perturbationToGradient))
    }

    /// Measures the model on the data that it is judged by, and keeps it if it is the best so far.
    ///
    /// Where the settings ask for a mean of the weights, that is what is measured, and what the best checkpoint has.
    func evaluate(epoch: Int) throws {
        try withJudgedWeights { try evaluateModel(epoch: epoch) }
    }

    private func evaluateModel(epoch: Int) throws {
        let (kind, split) = plan.evaluated
        let evaluation = try measure(on: split)
        try append(MetricsRecord(kind: kind, step: step, epoch: epoch, values: evaluation.values))
        let judge = plan.judgedBy
        let isBest = progress.note(
            .init(step: step, epoch: epoch, metric: judge.metric, evaluation), judge.mode)
        if isBest { try saveBest() }
        for observer in observers { try observer.evaluated(moment(epoch), evaluation, isBest: isBest) }
        let stability = StabilityReport(of: optimizer.core)
        defer {
            if stability.isNews(since: shownStability) {
                reporter.say("  stability so far: \(stability.text)")
            }
            shownStability = stability
        }
        reporter.say(
            "epoch \(epoch + 1)/\(plan.totalEpochs), step \(step)/\(plan.totalSteps): \(kind.rawValue) loss "
                + "\(short(evaluation.loss))"
                + (evaluation.perplexity.map { ", perplexity \(short($0))" } ?? "")
                + (evaluation.accuracy.map { ", accuracy \(percent($0))" } ?? "")
                + (evaluation.rmse.map { ", rmse \(short($0))" } ?? "")
                + "\(isBest ? " (best)" : "")"
        )
    }

    /// Measures the weights that are judged, on the data that they are judged by; nothing is logged.
    func judge() throws -> (MetricsRecord.Kind, Evaluation) {
        let (kind, split) = plan.evaluated
        return (kind, try withJudgedWeights { try measure(on: split) })
    }

    private func measure(on split: DataSplit) throws -> Evaluation {
        try Evaluation.measure(plan.model, on: split, of: plan.data.kind, loss: plan.settings.loss)
    }

    /// Writes the trained weights, or their mean where the settings ask for one, and the result.
    func finish() throws -> TrainingResult {
        let isComplete = step >= plan.totalSteps
        try averager?.install(learn: learnStatistics)
        try plan.model.saveState(to: run.model)
        if let foreign = plan.model as? any ExportableModule {
            try foreign.export(to: run.url.appendingPathComponent(foreign.exportName))
        }
        let seconds = trainingSeconds
        let result = TrainingResult(
            status: isComplete ? .completed : .stoppedEarly, name: plan.name, model: plan.modelName,
            data: plan.data.name, parameters: plan.model.parameterCount, seed: plan.settings.seed,
            steps: step, epochs: position.epoch + (position.batch > 0 ? 1 : 0),
            trainingSeconds: seconds, stepsPerSecond: seconds > 0 ? Double(step) / seconds : 0,
            test: try measure(on: plan.data.test), validation: try plan.data.validation.map(measure),
            best: progress.best, bestOn: plan.evaluated.kind.rawValue,
            stability: StabilityReport(of: optimizer.core),
            gradientEvaluations: optimizer.core.evaluations.gradients,
            lossEvaluations: optimizer.core.evaluations.losses)
        try result.write(to: run.result)
        return result
    }
}
