import BayesianLearning
import Foundation
import Training

/// The section of a run's report on the predictive distribution: how unsure it is of what, and whether rightly so.
struct PosteriorSection {
    private let report: PosteriorReport
    private let split: EvaluatedSplit

    init(_ report: PosteriorReport, on split: EvaluatedSplit) {
        self.report = report
        self.split = split
    }

    func add(to page: inout ReportPage) {
        let of = report.weights.map { "Of the mean over \($0)" } ?? "Of one set of weights"
        page.add(
            "Posterior predictive",
            [
                .text("\(of), on the \(split.rawValue) data. Entropies are in nats."), .facts(facts),
                .charts(charts),
            ])
    }

    private static func share(_ value: Double) -> String { String(format: "%.2f%%", value * 100) }
    private static func number(_ value: Double) -> String { String(format: "%.4g", value) }

    // MARK: Facts

    private var facts: [ReportPage.Fact] {
        (report.classes.map(facts) ?? []) + (report.numbers.map(facts) ?? [])
    }

    private func facts(_ classes: ClassPosterior) -> [ReportPage.Fact] {
        var facts: [ReportPage.Fact] = []
        if classes.members > 1 {
            facts.append(
                .init(
                    "A member by itself, on average",
                    "accuracy \(Self.share(classes.meanMember.accuracy)), loss \(Self.number(classes.meanMember.loss)); together "
                        + "\(Self.share(classes.quality.accuracy)) and \(Self.number(classes.quality.loss))"))
        }
        facts.append(
            .init(
                "Entropy",
                Self.number(classes.entropy)
                    + (classes.members > 1
                        ? ": \(Self.number(classes.expectedEntropy)) of every member (aleatoric) and "
                            + "\(Self.number(classes.mutualInformation)) of their disagreement (epistemic)"
                        : "")))
        if let scaling = report.temperature {
            facts.append(
                .init(
                    "Temperature",
                    "\(short(scaling.temperature)), fitted on \(scaling.fitted) examples of "
                        + (scaling.source == .half ? "this part" : "the validation part")
                        + "; on \(scaling.reported) others the loss goes from \(Self.number(scaling.before.loss)) to "
                        + "\(Self.number(scaling.after.loss)), the calibration error from "
                        + "\(Self.share(scaling.before.equalWidthError)) to \(Self.share(scaling.after.equalWidthError))"
                ))
        }
        if let outside = report.outOfDistribution {
            facts.append(
                .init(
                    "\(outside.data) is told apart",
                    "AUROC \(Self.share(outside.byEntropy)) by entropy, "
                        + (outside.byMutualInformation.map { "\(Self.share($0)) by mutual information, " }
                            ?? "")
                        + "\(Self.share(outside.byConfidence)) by the largest p; of \(outside.count) examples"
                ))
        }
        return facts
    }

    private func facts(_ numbers: NumberPosterior) -> [ReportPage.Fact] {
        [
            .init(
                "Log predictive density",
                Self.number(numbers.logDensity)
                    + (numbers.members > 1
                        ? "; of a member by itself \(Self.number(numbers.meanMember.logDensity)) on average"
                        : "")),
            .init(
                "Deviation",
                "\(Self.number(numbers.aleatoricVariance.squareRoot())) of the noise (aleatoric), "
                    + "\(Self.number(numbers.epistemicVariance.squareRoot())) of the members' disagreement (epistemic)"
            ),
            .init(
                "Credible intervals",
                numbers.intervals.map {
                    "\(String(format: "%g", $0.level * 100))%: holds \(Self.share($0.coverage)), mean width "
                        + Self.number($0.width)
                }.joined(separator: "; ")),
        ]
    }

    // MARK: Charts

    private var charts: [ReportChart] {
        (report.classes?.histograms.map(histogram) ?? []) + (report.numbers.map { [coverage($0)] } ?? [])
    }

    /// Cumulated: right predictions crowd in the first bin, above which nothing else would be seen.
    private func histogram(_ histogram: UncertaintyHistogram) -> ReportChart {
        let bins = histogram.right.count
        let places = (0...bins).map { (Double($0) * histogram.upper / Double(bins)).short6 }
        func series(_ name: String, _ counts: [Int], _ colour: Int) -> ReportChart.Series? {
            let all = counts.reduce(0, +)
            guard all > 0 else { return nil }
            let sums = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
            return .init(
                name: "\(name) (\(all))", x: places, y: sums.map { (Double($0) / Double(all)).short6 },
                style: .line, colour: colour)
        }
        let outside = report.outOfDistribution?.data ?? "outside"
        let what = histogram.measure == .entropy ? "entropy" : "mutual information"
        return ReportChart(
            lines: histogram.measure == .entropy ? "Entropy of predictions" : "Disagreement of members",
            x: .init("\(what), nats"),
            y: .init("share of examples with no more", isShare: true, range: [0, 1.02], tick: 0.2),
            [
                series("right", histogram.right, 0), series("wrong", histogram.wrong, 1),
                histogram.outside.flatMap { series(outside, $0, 2) },
            ].compactMap { $0 },
            caption: "Uncertainty is of use where wrong predictions"
                + (histogram.outside == nil ? "" : ", and other data,")
                + " are less sure than right ones: their lines rise later.")
    }

    private func coverage(_ numbers: NumberPosterior) -> ReportChart {
        ReportChart(
            lines: "Coverage of credible intervals",
            x: .init("level of the interval", isShare: true, range: [0, 1], tick: 0.2),
            y: .init("share of targets within", isShare: true, range: [0, 1.02], tick: 0.2),
            [
                .init(name: "as often as it says", x: [0, 1], y: [0, 1], style: .reference),
                .init(
                    name: "measured", x: NumberPosterior.coverageLevels,
                    y: numbers.coverages.map(\.short6), style: .marked, colour: 0),
            ], caption: "Below the dashed line the intervals are too narrow, above it too wide.")
    }
}
