import Foundation
import Safetensors
import Statistics
import Training

/// The report on a search for settings.
struct SearchPage: ReportKind {
    static let marker = "search.json"

    private let directory: URL
    private let report: SearchReport

    static func page(of directory: URL) throws -> ReportPage {
        let report = try JSON.read(
            SearchReport.self, from: directory.appendingPathComponent(marker), as: "the report of a search",
            remedy: "run peo tune again")
        return SearchPage(directory: directory, report: report).page
    }

    private var best: SearchReport.Trial? { report.trials.first { $0.number == report.best } }

    private var page: ReportPage {
        var page = ReportPage(
            kind: "Search", title: report.name,
            summary:
                "\(counted(report.trials.count, "trial")) of \(counted(report.settings.count, "setting")), proposed by \(report.method.rawValue), "
                + "judged by \(report.metric) \(report.judgedOn) (\(report.isHigherBetter ? "more" : "less") is better).",
            figures: figures)
        page.add("What it found", [conclusion, bestSettings, finalists])
        page.add("Settings", [.charts(report.settings.compactMap(chart))])
        page.add("Trials", [.table(trials)])
        page.add("Configuration", ["search.yaml", "best.yaml"].map(listing))
        return page
    }

    private var figures: [ReportPage.Fact] {
        let finalist = report.finalists.first { $0.trial == report.best && $0.trial != nil }
        let reached = report.trials.count { $0.values.count == report.shares.count && $0.values.last! != nil }
        return [finalist?.mean.map { ReportPage.Fact("best \(report.metric)", report.judge.text($0)) }]
            .compactMap { $0 }
            + [.init("trials", "\(report.trials.count)"), .init("trained to their end", "\(reached)")]
    }

    private var conclusion: ReportPage.Block {
        guard let best else { return .callout("No trial was trained to its end.", .bad) }
        return .text(
            "Trial \(best.number) did best with seeds of its own. Whether it is better than the configuration as it is, peo compare "
                + "says\(report.isOfAgents ? "" : " on the test data") (compare.yaml).")
    }

    private var bestSettings: ReportPage.Block? {
        best.map { best in
            .facts(report.settings.map { .init($0, best.settings[$0] ?? "–") })
        }
    }

    /// Those that were trained to their end with seeds of their own.
    private var finalists: ReportPage.Block? {
        guard !report.finalists.isEmpty else { return nil }
        let rows = report.finalists.map { finalist in
            ReportChart.Row(
                name: finalist.trial.map { "trial \($0)" } ?? "the configuration as it is",
                mean: finalist.mean?.short6, lower: finalist.interval?.lower.short6,
                upper: finalist.interval?.upper.short6,
                points: finalist.outcomes.compactMap { $0.metrics[report.judge.key]?.short6 },
                tone: finalist.trial != nil && finalist.trial == report.best ? .good : .neutral)
        }
        return .charts([
            ReportChart(
                forest: "The best trials, trained to their end",
                x: .init("\(report.metric) \(report.judgedOn)", isShare: report.judge.isShare), rows,
                caption:
                    "Large marks: the mean over seeds, with Student's 95% interval. Small marks: each seed.")
        ])
    }

    /// What charts show at most: trials near divergence would hide all others.
    private var highest: Double {
        let reached = report.trials.compactMap { $0.values.last ?? nil }.sorted()
        let median = Sample.quantile(0.5, ofSorted: reached)
        return report.isHigherBetter || !(median > 0) ? .infinity : 30 * median
    }

    /// A setting's values and what trials reached with them, by how long they were trained.
    private func chart(_ setting: String) -> ReportChart? {
        var series: [ReportChart.Series] = []
        let highest = highest
        for (rung, share) in report.shares.enumerated() {
            let points = report.trials.compactMap { trial -> (x: Double, y: Double)? in
                guard trial.values.count == rung + 1, let value = trial.values[rung],
                    value <= highest, let text = trial.settings[setting], let x = Double(text)
                else { return nil }
                return (x, value)
            }
            guard !points.isEmpty else { continue }
            series.append(
                .init(
                    name: "after \(Self.share(share)) of the training", x: points.map(\.x.short6),
                    y: points.map { $0.y.short6 }, style: .points, colour: rung))
        }
        let values = series.flatMap(\.x)
        guard let least = values.min(), let most = values.max() else { return nil }
        let hidden = report.trials.count { ($0.values.last ?? nil).map { $0 > highest } ?? false }
        return ReportChart(
            lines: setting, x: .init("value", isLogarithmic: least > 0 && most > 30 * least),
            y: .init("\(report.metric) \(report.judgedOn)", isShare: report.judge.isShare), series,
            caption: "Each trial where it stopped: those that were trained longer had done better."
                + (hidden > 0 ? " Above the chart: \(hidden), beyond \(report.judge.text(highest))." : ""))
    }

    private var trials: ReportTable {
        ReportTable(
            columns: ["Trial"] + report.settings.map(Self.head)
                + report.shares.map { "\(report.metric) after \(Self.share($0))" } + ["why it stopped"],
            numeric: Set(0...(report.settings.count + report.shares.count)),
            rows: report.trials.map { trial in
                var row: [ReportTable.Cell] = [
                    .init(
                        "\(trial.number)", Double(trial.number),
                        tone: trial.number == report.best ? .good : .neutral)
                ]
                for setting in report.settings {
                    let text = trial.settings[setting] ?? "–"
                    row.append(.init(Double(text).map { String(format: "%.4g", $0) } ?? text, Double(text)))
                }
                for rung in report.shares.indices {
                    let value = rung < trial.values.count ? trial.values[rung] : nil
                    row.append(.init(value, report.judge.text))
                }
                return row + [.init(trial.message ?? "")]
            })
    }

    private static func share(_ value: Double) -> String { String(format: "%.3g%%", value * 100) }

    /// The end of a key path, which may break after its dots.
    private static func head(_ setting: String) -> String {
        SearchTrial.short(setting.split(separator: ".").map(String.init))
            .replacingOccurrences(of: ".", with: ".\u{200B}")
    }

    private func listing(_ name: String) -> ReportPage.Block? {
        guard let text = try? MappedFile.contents(of: directory.appendingPathComponent(name)) else {
            return nil
        }
        return .listing(title: name, String(decoding: text, as: UTF8.self))
    }
}
