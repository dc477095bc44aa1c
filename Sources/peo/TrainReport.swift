import Foundation
import Training

/// What `peo train` prints at the end.
struct TrainReport: Encodable {
    /// The run's directory.
    let run: String
    let result: TrainingResult

    /// The report for people.
    static func text(_ result: TrainingResult, run: String) -> String {
        var lines: [(String, String)] = []
        lines.append(("run", run))
        lines.append(("model", "\(result.model), \(result.parameters) parameters"))
        lines.append(("data", "\(result.data), seed \(result.seed)"))
        lines.append(
            (
                "steps",
                "\(result.steps) in \(clockText(result.trainingSeconds)) of training, "
                    + "\(Int(result.stepsPerSecond.rounded())) steps/s"
                    + (result.status == .stoppedEarly ? " (stopped early)" : "")
            ))
        if result.gradientEvaluations != result.steps || result.lossEvaluations > 0 {
            lines.append(
                (
                    "evaluations",
                    "\(result.gradientEvaluations) with gradient, \(result.lossEvaluations) without"
                ))
        }
        if let validation = result.validation { lines.append(("validation", measure(validation))) }
        lines.append(("test", measure(result.test)))
        if let best = result.best {
            lines.append(
                (
                    "best",
                    "\(result.bestOn) \(best.metric.rawValue) "
                        + (best.evaluation.value(of: best.metric).map {
                            best.metric == .accuracy ? percent2($0) : short($0)
                        } ?? "none")
                        + " at step \(best.step)"
                ))
        }
        lines.append(("stability", result.stability.text))
        let width = (lines.map(\.0.count).max() ?? 0) + 2
        return lines.map { $0.0.padded(width) + $0.1 }.joined(
            separator: "\n")
    }

    private static func measure(_ evaluation: Evaluation) -> String {
        let accuracy = evaluation.accuracy.map { "accuracy \(percent2($0))" } ?? ""
        if let perplexity = evaluation.perplexity {
            return
                "loss \(String(format: "%.4f", evaluation.loss)), perplexity \(short(perplexity)), \(accuracy) on "
                + "\(evaluation.count) tokens"
        }
        if let rmse = evaluation.rmse, let mae = evaluation.mae {
            return "rmse \(short(rmse)), mae \(short(mae)), loss \(short(evaluation.loss)) on "
                + "\(evaluation.count) examples"
        }
        return "\(accuracy), loss \(short(evaluation.loss)) on \(evaluation.count) examples"
    }

    private static func percent2(_ share: Double) -> String { String(format: "%.2f%%", share * 100) }
}
