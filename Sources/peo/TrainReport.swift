import BayesianLearning
import Foundation
import ReinforcementLearning
import Training

/// What `peo train` prints at the end.
struct TrainReport<Result: RunResult>: Encodable {
    /// The run's directory.
    let run: String
    let result: Result
}

/// What `peo train` prints for people.
enum TrainReportText {
    /// The report on a run of any kind.
    static func text(_ result: any RunResult, run: String) -> String {
        switch result {
        case let result as TrainingResult: text(result, run: run)
        case let result as AgentResult: text(result, run: run)
        case let result as SamplingResult: text(result, run: run)
        default: preconditionFailure("a run is a model's, an agent's or a posterior's")
        }
    }

    private static func text(_ result: AgentResult, run: String) -> String {
        let evaluation = result.evaluation
        var lines = [
            ("run", run),
            ("agent", "\(result.algorithm), \(result.parameters) parameters"),
            ("environment", "\(result.environment), seed \(result.seed)"),
            (
                "steps",
                "\(result.steps) in \(clockText(result.trainingSeconds)), "
                    + "\(Int(result.stepsPerSecond.rounded())) steps/s, \(result.episodes) episodes"
            ),
        ]
        if let mean = result.meanReturn, let length = result.meanLength {
            lines.append(
                ("training", "return \(short(mean)), length \(short(length)), mean of the last 100 episodes"))
        }
        lines.append(
            (
                "evaluation",
                "return \(short(evaluation.mean)) ± \(short(evaluation.deviation)), length "
                    + "\(short(evaluation.meanLength)), \(evaluation.episodes) episodes without exploration"
            ))
        for collapse in result.collapses {
            lines.append(
                (
                    "collapse",
                    "at step \(collapse.step): mean return \(short(collapse.meanReturn)), its best "
                        + short(collapse.best)
                ))
        }
        lines.append(("stability", result.stability.text))
        return aligned(lines)
    }

    static func aligned(_ lines: [(String, String)]) -> String {
        let width = (lines.map(\.0.count).max() ?? 0) + 2
        return lines.map { $0.0.padded(width) + $0.1 }.joined(separator: "\n")
    }

    /// The report for people.
    private static func text(_ result: TrainingResult, run: String) -> String {
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
        return aligned(lines)
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
