import ReinforcementLearning
import Training

extension CellOutcome {
    /// The outcome of a run that took all its steps. Where the numbers that it is judged by are not finite, it diverged: its
    /// last weights broke, and no step was left to notice.
    init(of result: any RunResult, peakBytes: Int?) {
        let judged: [(name: String, value: Double)] =
            switch result {
            case let training as TrainingResult:
                Self.numbers(training.test, of: "test")
                    + (training.validation.map { Self.numbers($0, of: "validation") } ?? [])
            case let agent as AgentResult: [("mean return", agent.evaluation.mean)]
            default: []
            }
        let broken = judged.first { !$0.value.isFinite }
        self.init(
            status: broken == nil ? .completed : .diverged, metrics: broken == nil ? result.metrics : [:],
            message: broken.map { "the \($0.name) of the last weights is \($0.value)" },
            peakBytes: peakBytes)
    }

    private static func numbers(_ evaluation: Evaluation, of part: String) -> [(name: String, value: Double)]
    {
        [
            ("loss", evaluation.loss), ("perplexity", evaluation.perplexity), ("RMSE", evaluation.rmse),
            ("MAE", evaluation.mae),
        ].compactMap { name, value in value.map { ("\(part) \(name)", $0) } }
    }
}
