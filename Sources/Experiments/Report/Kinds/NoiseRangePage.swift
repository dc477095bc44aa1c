import Foundation
import Training

/// The report on a noise-range test.
struct NoiseRangePage: ReportKind {
    static let marker = NoiseRangeReport.fileName

    static func page(of directory: URL) throws -> ReportPage {
        let report = try JSON.read(
            NoiseRangeReport.self, from: directory.appendingPathComponent(marker),
            as: "the report of a noise-range test", remedy: "run peo tune --find-sigma again")
        return NoiseRangePage(report: report).page
    }

    private let report: NoiseRangeReport
    private var range: NoiseRange { report.range }

    private var page: ReportPage {
        var page = ReportPage(
            kind: "Noise range", title: report.name,
            summary:
                "One training with \(report.noise) noise that rises from tiny to breaking, beside one without noise. "
                + "σ is in units of each tensor's RMS gradient.",
            figures: figures)
        page.add("What it found", [conclusion, .charts([chart])])
        page.add("Losses", [.folded(title: "\(range.points.count) steps of the two runs", losses)])
        return page
    }

    private var figures: [ReportPage.Fact] {
        [
            .init("felt from σ", range.felt.map(Self.shown) ?? "nowhere"),
            .init("breaks at σ", range.broken.map(Self.shown) ?? "nowhere"),
            .init("RMS gradient", Self.shown(range.gradient)),
        ]
    }

    private var conclusion: ReportPage.Block {
        guard let band = range.band else {
            return .callout(
                "The noise was not felt anywhere: go on with a larger --to, or more --steps.", .neutral)
        }
        return .text(
            "Worth a search: σ from \(Self.shown(band.lowerBound)) to \(Self.shown(band.upperBound)), in proportion to the "
                + "gradient. Whether any of it helps, peo tune tune.yaml and peo compare say: this test shows only how much a "
                + "training bears.")
    }

    /// The losses by σ, with marks where the noise is felt and where it breaks the training.
    private var chart: ReportChart {
        let points = range.points.filter { $0.sigma > 0 }
        let x = points.map(\.sigma.short6)
        // A loss on its way to infinity would hide all others.
        let highest = 3 * (points.map(\.clean).max() ?? 0)
        return ReportChart(
            lines: "The training loss as the noise rises", x: .init("σ / RMS(g)", isLogarithmic: true),
            y: .init("loss, a mean over a 25th of the run"),
            [
                .init(name: "without noise", x: x, y: points.map(\.clean.short6), style: .reference),
                .init(
                    name: "with \(report.noise) noise", x: x,
                    y: points.map { point in point.noisy.flatMap { $0 <= highest ? $0.short6 : nil } }),
            ],
            caption:
                "Dotted: where the noise is felt (\(Int(NoiseRange.feltShare * 100))% of what was learnt is lost), and "
                + "where it breaks the training (\(Int(NoiseRange.brokenShare * 100))%).",
            marks: [range.felt, range.broken].compactMap { $0?.short6 }, isWide: true)
    }

    private var losses: ReportTable {
        ReportTable(
            columns: ["σ / RMS(g)", "with noise", "without noise"], numeric: [0, 1, 2],
            rows: range.points.map { point in
                [
                    .init(Self.shown(point.sigma), point.sigma), .init(point.noisy, short),
                    .init(point.clean, short),
                ]
            })
    }

    private static func shown(_ value: Double) -> String { String(format: "%.2g", value) }
}
