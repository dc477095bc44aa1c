import Foundation
import ReinforcementLearning
import Safetensors
import Training

/// The report on a run, finished or not.
struct RunPage: ReportKind {
    static let marker = "config.yaml"

    private let directory: URL
    private let record: RunRecord
    private let result: (any RunResult)?
    private let information: RunInformation?
    private let log: RunLog
    private let config: String
    private let evaluation: EvaluationReport?
    private let agentEvaluation: AgentEvaluationReport?

    static func page(of directory: URL) throws -> ReportPage {
        let run = try RunPage(directory)
        var page = run.page
        if let sampling = SamplingSections(directory, run.result) { try sampling.add(to: &page) }
        run.addOrigin(to: &page)
        return page
    }

    private init(_ directory: URL) throws {
        self.directory = directory
        config = String(
            decoding: try MappedFile.contents(of: directory.appendingPathComponent("config.yaml")),
            as: UTF8.self)
        // The configuration may stand alone, without a run.
        guard RunDirectory.isRun(directory) else {
            throw FileError(
                path: directory.relativePath, operation: .open, reason: .missing,
                detail: "there is a config.yaml, but no run (a run has a run.json too)")
        }
        record = RunRecord(of: directory, run: directory.relativePath)
        result = try? RunResults.read(directory.appendingPathComponent("result.json"))
        information = try? RunInformation(contentsOf: directory.appendingPathComponent("run.json"))
        log = try RunLog(contentsOf: directory.appendingPathComponent("metrics.jsonl"))
        let evaluated = directory.appendingPathComponent(EvaluationReport.fileName)
        let isEvaluated = FileManager.default.fileExists(atPath: evaluated.path)
        let isAgent = AgentRunEvaluation.isAgent(directory)
        evaluation = isEvaluated && !isAgent ? try EvaluationReport(contentsOf: evaluated) : nil
        agentEvaluation = isEvaluated && isAgent ? try AgentEvaluationReport(contentsOf: evaluated) : nil
    }

    private var page: ReportPage {
        var page = ReportPage(
            kind: "Run", title: record.name,
            summary:
                "\(record.model) \(isAgent ? "in" : "on") \(record.data), seed \(record.seed.map { "\($0)" } ?? "unknown"), "
                + (record.perturbation.isEmpty ? "without a perturbation" : "with \(record.perturbation)")
                + ".",
            figures: figures)
        page.add("Result", [state] + [.facts(facts), .charts(RunCurves(log).measures)])
        page.add("Updates", [.charts(RunCurves(log).updates)].filter(\.isFilled))
        page.add("Perturbation and learning rate", [.charts(RunCurves(log).equation)].filter(\.isFilled))
        page.add("What the stability controller did", StabilitySection(log, result?.stability).blocks)
        if let agentEvaluation { page.add("Evaluation", [.facts(Self.facts(agentEvaluation))]) }
        if let evaluation { EvaluationSections(evaluation).add(to: &page) }
        return page
    }

    private func addOrigin(to page: inout ReportPage) {
        page.add("Configuration and versions", [versions, sessions, .listing(title: "config.yaml", config)])
    }

    private var figures: [ReportPage.Fact] {
        let measured = record.metrics
        let on = measured["accuracy"] == nil && measured["loss"] == nil ? "validation." : ""
        let name = on.isEmpty ? "test" : "validation"
        var figures = (isAgent ? [] : ["accuracy", "loss", "perplexity", "rmse", "mae"]).compactMap {
            metric in
            measured[on + metric].map {
                ReportPage.Fact("\(name) \(metric)", RunTable.value($0, of: metric))
            }
        }
        for (metric, words) in [
            ("return", "mean return of the last episodes"),
            ("evaluation.return", "return without exploration"),
        ] where measured[metric] != nil {
            figures.append(.init(words, RunTable.value(measured[metric]!, of: metric)))
        }
        for (metric, words) in [
            ("rHat", "largest R̂"), ("effectiveSize", "least effective size"), ("draws", "draws in all"),
        ] where measured[metric] != nil {
            figures.append(.init(words, RunTable.value(measured[metric]!, of: metric)))
        }
        figures.append(.init("steps", record.steps.formatted(.number.locale(Locale(identifier: "en_US")))))
        figures.append(.init("training time", clockText(record.trainingSeconds)))
        return figures
    }

    /// What a reader must know of a run that was not completed.
    private var state: ReportPage.Block? {
        let words: String
        switch record.status {
        case .completed, .missing: return nil
        case .stoppedEarly: words = "Stopped early: the evaluation had stopped to improve."
        case .running: words = "A process is working on this run; these are its numbers so far."
        case .interrupted:
            words = "The run was interrupted, and can be resumed; these are its numbers so far."
        case .killed: words = "The run's process was killed; it can be resumed. These are its numbers so far."
        case .diverged: words = "The run diverged."
        case .failed: words = "The run failed."
        case .damaged: words = "The run is damaged."
        }
        let tone: ReportPage.Tone = record.status == .stoppedEarly ? .good : .bad
        return .callout(words + (record.message.map { " \($0)" } ?? ""), tone)
    }

    private var facts: [ReportPage.Fact] {
        if let result = result as? AgentResult { return Self.facts(result) }
        var facts: [ReportPage.Fact] = []
        guard let result = result as? TrainingResult else { return facts }
        func words(_ evaluation: Evaluation) -> String {
            let values = [Metric.accuracy, .loss, .perplexity, .rmse, .mae].compactMap { metric in
                evaluation.value(of: metric).map {
                    "\(metric.rawValue) \(RunTable.value($0, of: metric.rawValue))"
                }
            }
            return values.joined(separator: ", ")
        }
        facts.append(.init("Test", words(result.test) + " on \(result.test.count) targets"))
        if let validation = result.validation {
            facts.append(.init("Validation", words(validation) + " on \(validation.count) targets"))
        }
        if let best = result.best {
            facts.append(
                .init(
                    "Best on \(result.bestOn)",
                    words(best.evaluation) + " at step \(best.step), by \(best.metric.rawValue)"))
        }
        facts.append(.init("Model", "\(result.model), \(result.parameters) parameters"))
        facts.append(
            .init(
                "Work",
                "\(result.gradientEvaluations) gradient evaluations"
                    + (result.lossEvaluations > 0 ? " and \(result.lossEvaluations) of the loss alone" : "")
                    + ", \(short(result.stepsPerSecond)) steps per second"))
        return facts
    }

    /// Whether an agent was trained.
    private var isAgent: Bool { record.settings.keys.contains { $0.split(separator: ".").first == "agent" } }

    private static func facts(_ report: AgentEvaluationReport) -> [ReportPage.Fact] {
        let evaluation = report.evaluation
        let interval =
            report.interval.map { ", 95% interval \(short($0.lower)) to \(short($0.upper))" } ?? ""
        return [
            .init("Episodes", "\(evaluation.episodes), after \(report.step) steps"),
            .init("Return", "mean \(short(evaluation.mean))" + interval),
            .init(
                "Range",
                "\(short(evaluation.least)) to \(short(evaluation.greatest)), deviation "
                    + short(evaluation.deviation)),
            .init("Length", "\(short(evaluation.meanLength)) steps"),
        ]
    }

    private static func facts(_ result: AgentResult) -> [ReportPage.Fact] {
        let evaluation = result.evaluation
        var facts: [ReportPage.Fact] = [
            .init(
                "Without exploration",
                "return \(short(evaluation.mean)) ± \(short(evaluation.deviation)) (\(short(evaluation.least)) to "
                    + "\(short(evaluation.greatest))) in \(evaluation.episodes) episodes of "
                    + "\(short(evaluation.meanLength)) steps")
        ]
        if let mean = result.meanReturn, let length = result.meanLength {
            facts.append(
                .init(
                    "In training", "return \(short(mean)) in the last 100 episodes, of \(short(length)) steps"
                ))
        }
        facts.append(
            .init("Agent", "\(result.algorithm) in \(result.environment), \(result.parameters) parameters"))
        facts.append(
            .init(
                "Work",
                "\(result.episodes) episodes, \(result.gradientEvaluations) gradient evaluations, "
                    + "\(short(result.stepsPerSecond)) environment steps per second"))
        for collapse in result.collapses {
            facts.append(
                .init(
                    "Policy collapse",
                    "at step \(collapse.step): mean return \(short(collapse.meanReturn)), its best "
                        + short(collapse.best)))
        }
        return facts
    }

    private var versions: ReportPage.Block? {
        guard let information else { return nil }
        return .facts([
            .init("peo", information.peo), .init("libtorch", information.libtorch),
            .init(
                "Machine", "\(information.processor), \(information.threads) threads, \(information.system)"),
            .init("Command", information.command.joined(separator: " ")),
        ])
    }

    private var sessions: ReportPage.Block? {
        guard let information, !information.sessions.isEmpty else { return nil }
        return .table(
            ReportTable(
                columns: ["Session began", "from step", "to step", "training", "ended"], numeric: [1, 2, 3],
                rows: information.sessions.map { session in
                    [
                        .init(session.started), .init("\(session.fromStep)", Double(session.fromStep)),
                        .init("\(session.toStep)", Double(session.toStep)),
                        .init(clockText(session.trainingSeconds), session.trainingSeconds),
                        .init(session.end.map(\.rawValue) ?? "–"),
                    ]
                }))
    }
}

extension ReportPage.Block {
    /// Whether there is anything to see.
    fileprivate var isFilled: Bool {
        if case .charts(let charts) = self { !charts.isEmpty } else { true }
    }
}
