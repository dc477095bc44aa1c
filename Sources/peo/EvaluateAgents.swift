import ArgumentParser
import Experiments
import Foundation

/// `peo evaluate` on the runs of agents.
struct EvaluateAgents {
    let runs: [String]
    let episodes: Int
    let render: String?
    let seed: UInt64
    let isJSON: Bool

    private struct Evaluations: Encodable { let evaluations: [AgentEvaluationReport] }

    func run() throws {
        var reports: [AgentEvaluationReport] = []
        // One that cannot be evaluated is found before anything is written.
        let evaluations = try runs.map { run in
            let url = URL(fileURLWithPath: run)
            guard AgentRunEvaluation.isAgent(url) else {
                throw UsageError(
                    message:
                        "\(run) is no agent's run, and \(runs[0]) is one; evaluate them one after the other")
            }
            return try AgentRunEvaluation(run: url)
        }
        for (run, evaluation) in zip(runs, evaluations) {
            for warning in evaluation.warnings { Output.note("warning: \(warning)") }
            var report = try evaluation.report(episodes: episodes, seed: seed)
            report.run = run
            try report.write(to: URL(fileURLWithPath: run))
            reports.append(report)
            guard let render else { continue }
            let (total, steps) = try evaluation.render(to: URL(fileURLWithPath: render), seed: seed)
            if !isJSON {
                Output.note(
                    "\(render): an episode of \(steps) steps, return \(String(format: "%.4g", total))")
            }
        }
        try isJSON
            ? Output.writeJSON(Evaluations(evaluations: reports))
            : Output.write(AgentEvaluationReport.text(reports))
    }
}
