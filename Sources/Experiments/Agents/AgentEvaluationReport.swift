import Foundation
import ReinforcementLearning
import Statistics
import Training

/// How good a run's agent is: `evaluation.json` of an agent's run.
public struct AgentEvaluationReport: Codable, Sendable {
    /// The run's directory, as the user named it.
    public var run: String
    public var name: String
    public var environment: String
    public var algorithm: String
    /// Environment steps that the agent had learnt from.
    public var step: Int
    /// Of the episodes.
    public var seed: UInt64
    public var evaluation: AgentEvaluation
    /// Student's 95% interval of the mean return; nil for one episode.
    public var interval: Statistics.Interval?
    public var peo: String

    /// Writes it to the run's directory, atomically.
    /// - Throws: `FileError`.
    public func write(to directory: URL) throws {
        try JSON.write(self, to: directory.appendingPathComponent(EvaluationReport.fileName))
    }

    /// - Throws: `FileError`; `CheckpointError` (`damaged`) where the file is something else.
    public init(contentsOf url: URL) throws {
        self = try JSON.read(from: url, as: "the evaluation of an agent", remedy: "run peo evaluate again")
    }

    init(
        run: String, name: String, environment: String, algorithm: String, step: Int, seed: UInt64,
        evaluation: AgentEvaluation
    ) {
        self.run = run
        self.name = name
        self.environment = environment
        self.algorithm = algorithm
        self.step = step
        self.seed = seed
        self.evaluation = evaluation
        interval = StudentT.interval(ofMean: evaluation.returns)
        peo = Experiment.version
    }

    /// Runs side by side: a column for each.
    public static func text(_ reports: [AgentEvaluationReport]) -> String {
        func number(_ value: Double) -> String { String(format: "%.4g", value) }
        func row(_ name: String, _ value: (AgentEvaluationReport) -> String) -> [String] {
            [name] + reports.map(value)
        }
        let rows = [
            row("environment") { $0.environment }, row("algorithm") { $0.algorithm },
            row("steps") { "\($0.step)" }, row("episodes") { "\($0.evaluation.episodes)" },
            row("return, mean") { number($0.evaluation.mean) },
            row("  95% interval") { report in
                report.interval.map { "\(number($0.lower)) … \(number($0.upper))" } ?? "–"
            },
            row("  deviation") { number($0.evaluation.deviation) },
            row("  least … greatest") {
                "\(number($0.evaluation.least)) … \(number($0.evaluation.greatest))"
            },
            row("length, mean") { number($0.evaluation.meanLength) },
        ]
        return TextTable(header: [""] + reports.map(\.run), rows: rows).lines.joined(separator: "\n")
    }
}
