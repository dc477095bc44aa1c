import Foundation
import Safetensors
import Statistics
import Training

/// The report on a comparison of arms over seeds.
struct ComparisonPage: ReportKind {
    static let marker = "comparison.json"

    private let directory: URL
    private let report: ComparisonReport

    static func page(of directory: URL) throws -> ReportPage { try ComparisonPage(directory).page() }

    private init(_ directory: URL) throws {
        self.directory = directory
        report = try JSON.read(
            from: directory.appendingPathComponent(Self.marker), as: "the report of a comparison",
            remedy: "run peo compare again")
    }

    private func page() throws -> ReportPage {
        let seeds = report.arms.map(\.cells.count).max() ?? 0
        var page = ReportPage(
            kind: "Comparison", title: report.name,
            summary:
                "\(counted(report.arms.count, "arm")) over \(counted(seeds, "seed")), paired by seed, by \(report.metric) "
                + "(\(report.isHigherBetter ? "more" : "less") is better). \(conclusion)")
        page.add(
            "Verdicts",
            [troubles, .table(verdicts), .text(method), lengths, .charts([differences, eachSeed])])
        page.add("Curves", [.charts(try ComparisonCurves(report, directory).charts)])
        page.add("What was chosen", [chosen])
        page.add("All metrics", [.table(metrics)])
        page.add("Cells", [.folded(title: "Every cell", cells)])
        page.add("Configuration and versions", [config])
        return page
    }

    /// The verdicts in a sentence.
    private var conclusion: String {
        var words: [String] = []
        func names(_ chosen: (PairedComparison.Verdict) -> Bool) -> [String] {
            report.arms.filter { $0.comparison.map { chosen($0.verdict) } ?? false }.map(\.name)
        }
        for (word, names) in [
            ("Better than \(report.baseline)", names { $0 == .better }),
            ("Worse", names { $0 == .worse }),
            ("No effect shown", names { if case .noEffectShown = $0 { true } else { false } }),
            ("Too few seeds to tell", names { if case .tooFewSeeds = $0 { true } else { false } }),
            ("Lost seeds", names { if case .lostSeeds = $0 { true } else { false } }),
            (
                "Not judged, since \(report.baseline) lost seeds",
                names { if case .baselineLostSeeds = $0 { true } else { false } }
            ),
        ] where !names.isEmpty { words.append("\(word): \(names.joined(separator: ", ")).") }
        return words.joined(separator: " ")
    }

    private var troubles: ReportPage.Block? {
        let words = report.arms.flatMap(report.troubles)
        return words.isEmpty ? nil : .callout(words.joined(separator: " "), .bad)
    }

    private static func tone(_ comparison: PairedComparison?) -> ReportPage.Tone {
        switch comparison?.verdict {
        case .better: .good
        case .worse, .lostSeeds: .bad
        default: .neutral
        }
    }

    private var verdicts: ReportTable {
        ReportTable(
            columns: [
                "Arm", report.metric, "95% interval", "gradients", "gain over \(report.baseline)", "p",
                "verdict",
            ], numeric: [1, 2, 3, 4, 5],
            rows: report.arms.map { arm in
                let measure = arm.measures[report.metric]
                let compared = arm.comparison.flatMap { $0.count > 0 ? $0 : nil }
                return [
                    .init(arm.name), .init(measure?.mean, report.number),
                    .init(report.range(measure?.interval), measure?.interval?.lower),
                    .init(arm.measures["gradientEvaluations"]?.mean) { String(format: "%.0f", $0) },
                    .init(
                        compared.map(report.gain) ?? (arm.name == report.baseline ? "" : "–"), compared?.mean),
                    .init(
                        compared.map { String(format: "%.3g", $0.adjustedPValue) }
                            ?? (arm.name == report.baseline ? "" : "–"), compared?.adjustedPValue),
                    .init(
                        Self.mark(arm.comparison) + report.verdict(of: arm),
                        tone: Self.tone(arm.comparison)),
                ]
            })
    }

    /// A verdict's mark, for readers who see no colours.
    private static func mark(_ comparison: PairedComparison?) -> String {
        switch comparison?.verdict {
        case .better: "▲ "
        case .worse: "▼ "
        case .lostSeeds: "✗ "
        case .noEffectShown, .tooFewSeeds, .baselineLostSeeds, nil: ""
        }
    }

    private var unit: String {
        report.judge.isShare ? "percentage points of \(report.metric)" : report.metric
    }

    private var method: String {
        "Gain: the mean over seeds of the paired difference from \(report.baseline), in \(unit), with its bootstrap interval; "
            + "above 0 is better. p: sign-flip test, two-sided, corrected for "
            + "\(counted(max(report.arms.count - 1, 1), "comparison")) by Holm; verdicts at α = \(report.level)."
    }

    /// Which arms were trained longer than the configuration says.
    private var lengths: ReportPage.Block? {
        let longer = report.arms.filter { abs($0.lengthFactor - 1) > 1e-9 }
        let unequal = report.arms.compactMap(report.unequalCompute)
        let words = longer.map { "\($0.name) \(String(format: "%.2f", $0.lengthFactor)) times" }
        let said =
            (longer.isEmpty
                ? []
                : [
                    "For equal compute, some arms were trained longer than the configuration says: "
                        + words.joined(separator: ", ") + "."
                ]) + unequal
        guard !said.isEmpty else { return nil }
        return unequal.isEmpty ? .text(said[0]) : .callout(said.joined(separator: " "), .bad)
    }

    /// Paired differences of each arm, with every seed's.
    private var differences: ReportChart {
        let scale = report.judge.isShare ? 100.0 : 1
        let rows = report.arms.filter { $0.name != report.baseline }.map { arm in
            let compared = arm.comparison.flatMap { $0.count > 0 ? $0 : nil }
            return ReportChart.Row(
                name: arm.name, mean: compared?.mean.map { ($0 * scale).short6 },
                lower: compared?.interval.map { ($0.lower * scale).short6 },
                upper: compared?.interval.map { ($0.upper * scale).short6 },
                points: report.gains(of: arm).map { ($0 * scale).short6 },
                tone: Self.tone(arm.comparison))
        }
        let near = ReportChart.Row.near(rows, to: 0)
        return ReportChart(
            forest: "Gain over \(report.baseline), paired by seed",
            x: .init("gain in \(unit)", range: near?.range), rows,
            reference: 0,
            caption:
                "Large marks: the mean, with its interval. Small marks: each seed. Right of the dashed line is better."
                + (near.map { " Beyond the left edge: \($0.beyond.joined(separator: ", "))." } ?? "")
        )
    }

    private var eachSeed: ReportChart {
        ReportChart(
            forest: "\(report.metric.prefix(1).uppercased() + report.metric.dropFirst()) of each arm",
            x: .init("\(report.metric)", isShare: report.judge.isShare),
            report.arms.map { arm in
                let measure = arm.measures[report.metric]
                let interval = report.possible(measure?.interval)
                return ReportChart.Row(
                    name: arm.name, mean: measure?.mean.short6, lower: interval?.lower.short6,
                    upper: interval?.upper.short6,
                    points: arm.cells.compactMap { $0.outcome.metrics[report.metric]?.short6 })
            },
            caption:
                "Large marks: the mean over seeds, with Student's 95% interval. Small marks: each seed. Arms are paired, so "
                + "that intervals which overlap may still differ: see the gains above.")
    }

    private var chosen: ReportPage.Block? {
        let rows = report.arms.flatMap { arm in
            arm.chosen.sorted { $0.key < $1.key }.map {
                [ReportTable.Cell(arm.name), .init($0.key), .init($0.value)]
            }
        }
        guard !rows.isEmpty else { return nil }
        return .table(ReportTable(columns: ["Arm", "setting", "value chosen on held-out data"], rows: rows))
    }

    /// The mean of every metric, with half the width of its interval.
    private var metrics: ReportTable {
        let names = Set(report.arms.flatMap(\.measures.keys)).sorted()
        return ReportTable(
            columns: ["Arm"] + names.map(MetricName.words), numeric: Set(1...max(names.count, 1)),
            rows: report.arms.map { arm in
                [.init(arm.name)]
                    + names.map { name in
                        guard let measure = arm.measures[name] else { return .init("–") }
                        let half = measure.interval.map { ($0.upper - $0.lower) / 2 } ?? 0
                        let isShare = name.hasSuffix("accuracy")
                        let spread =
                            half > 0
                            ? " ± " + (isShare ? String(format: "%.2f%%", half * 100) : short(half)) : ""
                        return .init(RunTable.value(measure.mean, of: name) + spread, measure.mean)
                    }
            })
    }

    private var cells: ReportTable {
        ReportTable(
            columns: [
                "Arm", "seed", "outcome", report.metric, "training, s", "memory, MB", "why not completed",
            ],
            numeric: [1, 3, 4, 5],
            rows: report.arms.flatMap { arm in
                arm.cells.map { cell in
                    [
                        .init(arm.name), .init("\(cell.seed)", Double(cell.seed)),
                        .init(
                            cell.outcome.status.rawValue,
                            tone: cell.outcome.status == .completed ? .neutral : .bad),
                        .init(cell.outcome.metrics[report.metric], report.number),
                        .init(cell.outcome.metrics["trainingSeconds"]) { String(format: "%.1f", $0) },
                        .init(cell.outcome.peakBytes.map { Double($0) / 1e6 }) { String(format: "%.0f", $0) },
                        .init(cell.outcome.message ?? ""),
                    ]
                }
            })
    }

    private var config: ReportPage.Block? {
        let file = directory.appendingPathComponent("comparison.yaml")
        guard let text = try? MappedFile.contents(of: file) else { return nil }
        return .listing(title: "comparison.yaml", String(decoding: text, as: UTF8.self))
    }
}
