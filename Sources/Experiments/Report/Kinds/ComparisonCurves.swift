import Foundation
import Statistics
import Training

/// The curves of a comparison's arms, each the mean over its seeds with a band.
struct ComparisonCurves {
    private let report: ComparisonReport
    /// For each arm, the logs of the cells that were trained to their end.
    private let logs: [[RunLog]]

    /// - Throws: `FileError` for a log that cannot be read.
    init(_ report: ComparisonReport, _ directory: URL) throws {
        self.report = report
        logs = try report.arms.map { arm in
            let folder = directory.appendingPathComponent("cells/\(arm.name)")
            return try arm.cells.filter { $0.outcome.status == .completed }.map { cell in
                try RunLog(contentsOf: folder.appendingPathComponent("seed-\(cell.seed)/metrics.jsonl"))
            }
        }
    }

    /// Arms are trained with the same number of gradients, not of steps.
    private var perStep: [Double] {
        let costs = report.arms.map(\.cost.gradients)
        return Set(costs).count > 1 ? costs : costs.map { _ in 1 }
    }

    private var axis: ReportChart.Axis {
        .init(Set(report.arms.map(\.cost.gradients)).count > 1 ? "gradient evaluations" : "step")
    }

    var charts: [ReportChart] {
        let judged = logs.joined().first?.judged ?? .test
        return ["accuracy", "loss", "perplexity", "rmse"].compactMap { name in
            chart(judged, name, "\(judged.rawValue.capitalized) \(name)", "\(judged.rawValue) \(name)")
        }
            + [
                chart(.train, "loss", "Training loss", "loss of a batch"),
                chart(.train, "perturbationToGradient", "Perturbation to gradient ‖δ‖/‖g‖", "‖δ‖/‖g‖"),
                chart(.train, "sigma", "Noise strength σ(t)", "σ, gradient units"),
            ].compactMap { $0 }
    }

    private func chart(
        _ kind: MetricsRecord.Kind, _ name: String, _ title: String, _ axisTitle: String
    ) -> ReportChart? {
        let series = report.arms.indices.compactMap { arm -> ReportChart.Series? in
            band(logs[arm].compactMap { $0.column(kind, name) }, arm: arm, isShare: name == "accuracy")
        }
        guard !series.isEmpty else { return nil }
        return ReportChart(
            lines: title, x: axis,
            y: .init(
                axisTitle, isLogarithmic: Self.isSpread(series.flatMap(\.y).compactMap { $0 }),
                isShare: name == "accuracy"), series,
            caption: "The mean over seeds, and Student's 95% interval of it, as far as the values can be.")
    }

    /// Whether the largest would flatten all others on a linear axis: an arm that breaks has losses of any size.
    private static func isSpread(_ values: [Double]) -> Bool {
        let sorted = values.sorted()
        guard let least = sorted.first, let most = sorted.last, least > 0 else { return false }
        return most > 1000 * Sample.quantile(0.5, ofSorted: sorted)
    }

    /// How many points a line has at most.
    private static let mostPoints = 150

    private func band(_ columns: [RunLog.Column], arm: Int, isShare: Bool) -> ReportChart.Series? {
        var bySteps: [Int: [Double]] = [:]
        for column in columns {
            for (step, value) in zip(column.steps, column.values) {
                if let value { bySteps[step, default: []].append(value) }
            }
        }
        // A step that a seed has not logged is left out: the mean would be over other seeds.
        let steps = bySteps.filter { $0.value.count == columns.count }.keys.sorted()
        guard !steps.isEmpty else { return nil }
        var series = ReportChart.Series(
            name: report.arms[arm].name, x: [], y: [], lower: [], upper: [], colour: arm)
        for number in 0..<min(steps.count, Self.mostPoints) {
            let step = steps[number * steps.count / min(steps.count, Self.mostPoints)]
            let values = bySteps[step] ?? []
            let interval = StudentT.interval(ofMean: values)
            series.x.append((Double(step) * perStep[arm]).short6)
            series.y.append(Sample.mean(values).short6)
            // Student's interval of values that are never below 0 may be; a share ends at 1 too.
            let least = values.min() ?? 0
            series.lower!.append(
                interval.map { $0.lower <= 0 && least >= 0 ? least : $0.lower }?.short6)
            series.upper!.append(interval.map { isShare ? min(1, $0.upper) : $0.upper }?.short6)
        }
        // A single evaluation is a point, not a line.
        if series.x.count <= 30 { series.style = .marked }
        return series
    }
}
