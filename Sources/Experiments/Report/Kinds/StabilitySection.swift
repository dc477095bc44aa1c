import Foundation
import Training

/// What the stability controller and the closed loops did in a run.
struct StabilitySection {
    private let log: RunLog
    private let report: StabilityReport?

    init(_ log: RunLog, _ report: StabilityReport?) {
        self.log = log
        self.report = report
    }

    var blocks: [ReportPage.Block] {
        var blocks: [ReportPage.Block] = []
        if let report {
            blocks.append(.text("Over the whole run: \(report.text)."))
        } else if log.events.isEmpty {
            blocks.append(.text("No step was skipped or rolled back so far."))
        }
        if let controllers = report?.controllers {
            blocks.append(
                .table(
                    ReportTable(
                        columns: ["Controller", "multiplies", "by, at the end"], numeric: [2],
                        rows: controllers.map { controller in
                            [
                                .init(controller.name), .init(controller.scales.rawValue),
                                .init(controller.factor, short),
                            ]
                        })))
        }
        if let chart = factors { blocks.append(.charts([chart])) }
        if !log.events.isEmpty { blocks.append(.folded(title: eventsTitle, events)) }
        return blocks
    }

    /// What guards and controllers multiplied by, where they did.
    private var factors: ReportChart? {
        let names = [
            ("clipScale", "clipping × gradient"), ("boundScale", "bound × perturbation"),
            ("varianceScale", "variance bound × noise"), ("trustScale", "trust region × update"),
            ("strengthFactor", "controllers × noise strength"),
            ("learningRateFactor", "controllers × learning rate"),
        ]
        let series = names.enumerated().compactMap { number, entry -> ReportChart.Series? in
            guard let column = log.column(.train, entry.0) else { return nil }
            var series = column.series(entry.1, colour: number)
            // Guards are logged where they bind, which need not be step after step.
            if entry.0.hasSuffix("Scale") { series.style = .points }
            return series
        }
        guard !series.isEmpty else { return nil }
        return ReportChart(
            lines: "Factors", x: .init("step"), y: .init("factor"), series,
            caption: "What guards and controllers multiplied by, at logged steps where it was not 1.",
            isWide: true)
    }

    /// How many events are listed.
    private static let mostEvents = 200

    private var eventsTitle: String {
        let all = log.events.count
        return all > Self.mostEvents
            ? "The first \(Self.mostEvents) of \(all) steps that were skipped or rolled back"
            : "\(all) \(all == 1 ? "step that was" : "steps that were") skipped or rolled back"
    }

    private var events: ReportTable {
        ReportTable(
            columns: ["Step", "what happened", "loss"], numeric: [0, 2],
            rows: log.events.prefix(Self.mostEvents).map { event in
                [
                    .init("\(event.step)", Double(event.step)), .init(Self.words(event.name)),
                    .init(event.loss.map(short) ?? "–", event.loss),
                ]
            })
    }

    private static func words(_ event: String) -> String {
        switch event {
        case "skippedNonFinite": "skipped: gradient or perturbation not finite"
        case "rolledBack": "rolled back to the last good parameters"
        case "collapse.lostReturn": "policy collapse: the return is far below its best"
        case "collapse.lostEntropy": "policy collapse: no entropy, and the return falls"
        default: event
        }
    }
}
