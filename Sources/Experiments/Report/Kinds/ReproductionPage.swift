import Foundation
import Statistics

/// The report on the reproduction of a published experiment.
struct ReproductionPage: ReportKind {
    static let marker = "reproduction.json"

    private let report: ReproductionReport

    static func page(of directory: URL) throws -> ReportPage {
        ReproductionPage(
            report: try ReproductionReport(contentsOf: directory.appendingPathComponent(marker))
        ).page
    }

    private var page: ReportPage {
        let met = report.checks.count(where: \.passed)
        var page = ReportPage(
            kind: "Reproduction" + (report.scale == .quick ? " (quick)" : ""), title: report.title,
            summary: report.claim,
            figures: [
                .init("criteria met", "\(met) of \(report.checks.count)"),
                .init("arms", "\(report.arms.count)"),
                .init("negative controls", "\(report.arms.count(where: \.isNegativeControl))"),
                .init("date", String(report.date.prefix(10))),
            ])
        page.add("Does it hold?", [verdict, checks(isNegativeControl: false)])
        page.add("Where it does not help", [checks(isNegativeControl: true)])
        page.add(
            "Published beside measured",
            [
                measures(isNegativeControl: false),
                report.arms.contains(where: \.isNegativeControl) ? .text("Negative controls:") : nil,
                measures(isNegativeControl: true),
            ])
        page.add("Curves", report.charts.isEmpty ? [] : [.charts(charts)])
        page.add("Set-up", [.facts(setUp), arms, notes])
        return page
    }

    private var verdict: ReportPage.Block {
        let failed = report.checks.filter { !$0.passed }
        let quick = report.scale == .quick ? " It was run small, to see whether everything works." : ""
        return failed.isEmpty
            ? .callout("Every criterion is met.\(quick)", .good)
            : .callout("Not met: \(failed.map(\.criterion).joined(separator: "; ")).\(quick)", .bad)
    }

    private func checks(isNegativeControl: Bool) -> ReportPage.Block? {
        let own = report.checks.filter { $0.isNegativeControl == isNegativeControl }
        guard !own.isEmpty else { return nil }
        return .table(
            ReportTable(
                columns: ["Criterion", "measured", "met?"],
                rows: own.map { check in
                    [
                        .init(check.criterion), .init(check.measured),
                        .init(
                            check.passed ? "✓ met" : "✗ not met", check.passed ? 1 : 0,
                            tone: check.passed ? .good : .bad),
                    ]
                }))
    }

    private func measures(isNegativeControl: Bool) -> ReportPage.Block? {
        let rows = report.arms.filter { $0.isNegativeControl == isNegativeControl }.flatMap { arm in
            arm.measures.map { Self.row(arm.name, $0) }
        }
        guard !rows.isEmpty else { return nil }
        return .table(
            ReportTable(
                columns: [
                    "Arm", "quantity", "published", "independent script", "measured: mean", "95% interval",
                    "median", "range over seeds", "seeds",
                ], numeric: [4, 5, 6, 7, 8], rows: rows))
    }

    private static func row(_ arm: String, _ measure: ReproductionReport.Measure) -> [ReportTable.Cell] {
        // Student's interval of two values is wider than anything they say.
        let interval = measure.values.count > 2 ? measure.interval : nil
        let values = measure.values.sorted()
        return [
            .init(arm), .init(measure.quantity), .init(measure.published ?? "–"),
            .init(measure.independent ?? "–"), .init(measure.mean, number),
            .init(interval.map { range($0.lower, $0.upper) } ?? "–", interval?.lower),
            .init(measure.median, number),
            .init(values.isEmpty ? "–" : range(values[0], values[values.count - 1]), values.first),
            .init("\(values.count)", Double(values.count)),
        ]
    }

    private static func range(_ lower: Double, _ upper: Double) -> String {
        "\(number(lower)) … \(number(upper))"
    }

    private static func number(_ value: Double) -> String { String(format: "%.4g", value) }

    /// Each arm has the same colour in every chart.
    private var charts: [ReportChart] {
        let names = report.arms.map(\.name)
        return report.charts.map { chart in
            ReportChart(
                lines: chart.title, x: .init(chart.xTitle, isLogarithmic: chart.isXLogarithmic),
                y: .init(chart.yTitle, isLogarithmic: chart.isYLogarithmic),
                chart.lines.enumerated().map { number, line in
                    .init(
                        name: line.arm, x: line.x.map(\.short6), y: line.mean.map(\.short6),
                        lower: line.lower.map(\.short6), upper: line.upper.map(\.short6),
                        colour: names.firstIndex(of: line.arm) ?? number)
                },
                caption: chart.caption
                    ?? "The mean over seeds; the band reaches from the least to the greatest.")
        }
    }

    private var setUp: [ReportPage.Fact] {
        [
            .init("Set-up", report.setUp), .init("Source", report.source),
            .init(
                "Machine",
                "\(report.machine.processor), \(report.machine.cores) cores, \(report.machine.system)"),
            .init("Versions", "peo \(report.versions.peo), libtorch \(report.versions.libtorch)"),
        ]
    }

    private var arms: ReportPage.Block {
        .table(
            ReportTable(
                columns: ["Arm", "what it does", "chosen, and notes"],
                rows: report.arms.map { arm in
                    let chosen = arm.chosen.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
                    return [
                        .init(arm.name + (arm.isNegativeControl ? " (negative control)" : "")),
                        .init(arm.summary), .init((chosen + arm.notes).joined(separator: "; ")),
                    ]
                }))
    }

    private var notes: ReportPage.Block? {
        report.notes.isEmpty ? nil : .text(report.notes.joined(separator: " "))
    }
}
