import Foundation
import Models
import Training

extension RunEvaluation {
    /// How good the predictions are, on all of the part of the data.
    ///
    /// - Throws: `ModelError` (`notFinite`) for scores that are not finite; `TorchError`; `TrainingStopped` where a stop
    ///   was asked for.
    public func quality() throws -> QualityReport {
        let kind = plan.data.kind
        guard kind.target.scale == nil else {
            let found = try Evaluation.measure(plan.model, on: data, of: kind, loss: plan.settings.loss)
            guard found.loss.isFinite else {
                throw ModelError(
                    code: .notFinite,
                    message: "the model's predictions are not finite: its weights, or the inputs, are not")
            }
            say("quality: rmse \(short(found.rmse ?? .nan)), mae \(short(found.mae ?? .nan))")
            return QualityReport(evaluation: found)
        }
        let classes = try ClassQuality.measure(plan.model, on: data, of: kind)
        say(
            "quality: accuracy \(percent(classes.accuracy)), loss \(short(classes.loss)), ECE "
                + percent(classes.calibration.equalWidthError))
        return QualityReport(
            evaluation: Evaluation(
                loss: classes.loss, accuracy: classes.accuracy, count: classes.count,
                perplexity: kind.target.isPerToken ? exp(classes.loss) : nil),
            classes: classes)
    }
}
