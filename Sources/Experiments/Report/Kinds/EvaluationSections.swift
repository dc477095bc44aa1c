import Foundation
import Training

/// The sections of a run's report that show what `peo evaluate` found.
struct EvaluationSections {
    private let report: EvaluationReport

    init(_ report: EvaluationReport) { self.report = report }

    /// Adds them to a page.
    func add(to page: inout ReportPage) {
        let of =
            report.posterior?.weights.map { "Of the mean over \($0)" }
            ?? "Of the \(report.weights.rawValue) weights, step \(report.step)"
        if let quality = report.quality {
            page.add(
                "Quality and calibration",
                [
                    .text("\(of), on the \(report.split.rawValue) data."), facts(quality),
                    quality.classes.map {
                        .charts([reliability($0.calibration), confidences($0.calibration)])
                    },
                ])
        }
        if let posterior = report.posterior {
            PosteriorSection(posterior, on: report.split).add(to: &page)
        }
        if let robustness = report.robustness {
            page.add(
                "Robustness", [.charts(charts(robustness)), attacks(robustness), memorisation(robustness)])
        }
        if let flatness = report.flatness {
            page.add(
                "Flatness",
                [
                    .text("\(of), of the loss on \(flatness.examples) training examples."), facts(flatness),
                    .charts(charts(flatness)), sharpness(flatness),
                ])
        }
        if !report.notes.isEmpty { page.add("What was not evaluated", report.notes.map { .text($0) }) }
    }

    private static func share(_ value: Double) -> String { String(format: "%.2f%%", value * 100) }
    private static func number(_ value: Double) -> String { String(format: "%.4g", value) }
    private static func plain(_ value: Double) -> String { String(format: "%g", value) }

    // MARK: Quality

    private func facts(_ quality: QualityReport) -> ReportPage.Block {
        let evaluation = quality.evaluation
        var facts = [Metric.accuracy, .loss, .perplexity, .rmse, .mae].compactMap { metric in
            evaluation.value(of: metric).map {
                ReportPage.Fact(
                    metric == .loss ? "Loss" : metric.rawValue.capitalized,
                    RunTable.value($0, of: metric.rawValue))
            }
        }
        facts.append(.init("Targets", "\(evaluation.count)"))
        if let classes = quality.classes {
            facts.append(
                .init(
                    "Expected calibration error",
                    "\(Self.share(classes.calibration.equalWidthError)) over bins of equal width, "
                        + "\(Self.share(classes.calibration.equalMassError)) over bins of equal mass"))
            facts.append(.init("Brier score", Self.number(classes.brier)))
        }
        return .facts(facts)
    }

    private func reliability(_ calibration: Calibration) -> ReportChart {
        let bins = calibration.equalWidth.filter { $0.count > 0 }
        return ReportChart(
            lines: "Reliability", x: .init("confidence", isShare: true, range: [0, 1], tick: 0.2),
            y: .init("accuracy", isShare: true, range: [0, 1.02], tick: 0.2),
            [
                .init(name: "as often right as it says", x: [0, 1], y: [0, 1], style: .reference),
                .init(
                    name: "accuracy in the bin", x: bins.map { ($0.lower + $0.upper) / 2 },
                    y: bins.map { $0.accuracy?.short6 }, style: .bars, colour: 0,
                    width: bins.first.map { ($0.upper - $0.lower) * 0.92 }),
                .init(
                    name: "mean confidence and accuracy", x: bins.compactMap { $0.confidence?.short6 },
                    y: bins.map { $0.accuracy?.short6 }, style: .points, colour: 1),
            ], caption: "Below the dashed line the model is surer than it is right.")
    }

    private func confidences(_ calibration: Calibration) -> ReportChart {
        let all = calibration.equalWidth.reduce(0) { $0 + $1.count }
        let bins = calibration.equalWidth
        return ReportChart(
            lines: "How sure the model is", x: .init("confidence", isShare: true, range: [0, 1], tick: 0.2),
            y: .init("share of predictions", isShare: true),
            [
                .init(
                    name: "predictions", x: bins.map { ($0.lower + $0.upper) / 2 },
                    y: bins.map { (Double($0.count) / Double(max(all, 1))).short6 }, style: .bars, colour: 2,
                    width: bins.first.map { ($0.upper - $0.lower) * 0.92 })
            ])
    }

    // MARK: Robustness

    private func charts(_ robustness: RobustnessReport) -> [ReportChart] {
        let unit = robustness.units == .pixels ? "pixels in 0…1" : "inputs as the model sees them"
        let clean = robustness.clean?.accuracy
        var charts: [ReportChart] = []
        let damage = InputDamage.allCases.enumerated().compactMap { number, name -> ReportChart.Series? in
            let own = robustness.damage.filter { $0.name == name }
            guard !own.isEmpty else { return nil }
            let start: [(x: Double, y: Double?)] = clean.map { [(0, $0.short6)] } ?? []
            let points = start + own.map { (Double($0.severity), $0.result.accuracy?.short6) }
            return .init(
                name: name.rawValue, x: points.map(\.x), y: points.map(\.y), style: .marked, colour: number)
        }
        if !damage.isEmpty {
            charts.append(
                ReportChart(
                    lines: "Accuracy on damaged inputs", x: .init("severity", tick: 1),
                    y: .init("accuracy", isShare: true), damage,
                    caption:
                        "Severity 0 is the undamaged inputs\(robustness.clean.map { ", \($0.count) of them" } ?? "")."
                ))
        }
        let names = robustness.attacks.reduce(into: [String]()) { names, attack in
            if !names.contains(attack.name) { names.append(attack.name) }
        }
        let attacks = names.enumerated().map { number, name -> ReportChart.Series in
            let own = robustness.attacks.filter { $0.name == name }.sorted { $0.epsilon < $1.epsilon }
            let start: [(x: Double, y: Double?)] = clean.map { [(0, $0.short6)] } ?? []
            let points = start + own.map { ($0.epsilon, $0.result.accuracy?.short6) }
            return .init(name: name, x: points.map(\.x), y: points.map(\.y), style: .marked, colour: number)
        }
        if !attacks.isEmpty {
            charts.append(
                ReportChart(
                    lines: "Accuracy under attack", x: .init("ε, \(unit)"),
                    y: .init("accuracy", isShare: true),
                    attacks))
        }
        if !robustness.noise.isEmpty {
            let points = robustness.noise.sorted { $0.sigma < $1.sigma }
            charts.append(
                ReportChart(
                    lines: "Accuracy on noisy inputs", x: .init("σ, \(unit)"),
                    y: .init("accuracy", isShare: true),
                    [
                        .init(
                            name: "Gaussian noise", x: points.map(\.sigma),
                            y: points.map { $0.result.accuracy?.short6 }, style: .marked, colour: 0)
                    ]))
        }
        if !robustness.labelNoise.isEmpty {
            charts.append(
                ReportChart(
                    lines: "Loss against wrong labels", x: .init("share of labels redrawn", isShare: true),
                    y: .init("loss"),
                    [
                        .init(
                            name: "loss", x: robustness.labelNoise.map(\.rate),
                            y: robustness.labelNoise.map { $0.loss.short6 }, style: .marked, colour: 3)
                    ], caption: "How fast it rises tells how badly wrong labels hurt an overconfident model.")
            )
        }
        return charts
    }

    private func attacks(_ robustness: RobustnessReport) -> ReportPage.Block? {
        guard !robustness.attacks.isEmpty else { return nil }
        return .table(
            ReportTable(
                columns: ["Attack", "ε", "accuracy", "loss"], numeric: [1, 2, 3],
                rows: robustness.attacks.map { attack in
                    [
                        .init(attack.name), .init(attack.epsilon, Self.plain),
                        .init(attack.result.accuracy, Self.share), .init(attack.result.loss, Self.number),
                    ]
                }))
    }

    private func memorisation(_ robustness: RobustnessReport) -> ReportPage.Block? {
        guard let found = robustness.memorisation else { return nil }
        func row(_ name: String, _ part: Memorisation.Part) -> [ReportTable.Cell] {
            [
                .init(name), .init("\(part.count)", Double(part.count)),
                .init(part.trainedAccuracy, Self.share), .init(part.trueAccuracy, Self.share),
            ]
        }
        return .table(
            ReportTable(
                columns: ["Training examples", "count", "predicted as labelled", "predicted as is true"],
                numeric: [1, 2, 3],
                rows: [
                    row("rightly labelled", found.rightlyLabelled),
                    row("wrongly labelled", found.wronglyLabelled),
                ]))
    }

    // MARK: Flatness

    private func facts(_ flatness: FlatnessReport) -> ReportPage.Block {
        var facts: [ReportPage.Fact] = [
            .init("Loss", Self.number(flatness.loss)),
            .init("Gradient norm ‖∇L‖", Self.number(flatness.gradientNorm)),
        ]
        if let top = flatness.topEigenvalue {
            facts.append(
                .init(
                    "Top Hessian eigenvalue",
                    "\(Self.number(top.value)) (residual \(short(top.residual)), \(top.iterations) products"
                        + (top.isConverged ? ")" : ", not converged)")))
            if let lowest = top.lowest {
                facts.append(.init("Lowest Hessian eigenvalue", Self.number(lowest)))
            }
        }
        if let trace = flatness.trace {
            facts.append(
                .init(
                    "Hessian trace",
                    Self.number(trace.value) + (trace.standardError.map { " ± \(short($0))" } ?? "")
                        + " (standard error, \(trace.probes) probes)"))
        }
        return .facts(facts)
    }

    private func charts(_ flatness: FlatnessReport) -> [ReportChart] {
        var charts: [ReportChart] = []
        if !flatness.slices.isEmpty {
            charts.append(
                ReportChart(
                    lines: "Loss along lines through the weights",
                    x: .init("α, at 1 weights and move are of one size"), y: .init("loss"),
                    flatness.slices.enumerated().map { number, slice in
                        .init(
                            name: slice.direction == .random
                                ? "random direction" : "filter-normalised direction",
                            x: slice.positions, y: slice.losses.map { $0.isFinite ? $0.short6 : nil },
                            colour: number)
                    }))
        }
        if let grid = flatness.grid {
            let losses = grid.losses.map { $0.map { $0.isFinite ? $0 : nil } }
            let known = losses.joined().compactMap { $0 }
            // A valley in a mountain range: heights by powers of ten show both.
            let isWide = (known.min() ?? 0) > 0 && (known.max() ?? 0) > 30 * (known.min() ?? 0)
            charts.append(
                ReportChart(
                    grid: "Loss on a plane through the weights", x: .init("β"), y: .init("α"),
                    .init(
                        title: isWide ? "log₁₀ loss" : "loss", x: grid.positions, y: grid.positions,
                        values: losses.map { $0.map { $0.map { (isWide ? log10($0) : $0).short6 } } }),
                    caption: "Two "
                        + (grid.direction == .random ? "random" : "filter-normalised")
                        + " directions; the cross is where the training ended."))
        }
        return charts
    }

    private func sharpness(_ flatness: FlatnessReport) -> ReportPage.Block? {
        guard !flatness.sharpness.isEmpty else { return nil }
        return .table(
            ReportTable(
                columns: ["Sharpness: ρ", "rise of the loss by one step", "by the best of several", "steps"],
                numeric: [1, 2, 3],
                rows: flatness.sharpness.map { found in
                    [
                        .init(Self.plain(found.rho), found.rho), .init(found.oneStep, Self.number),
                        .init(found.ascent, Self.number), .init("\(found.steps)", Double(found.steps)),
                    ]
                }))
    }
}
