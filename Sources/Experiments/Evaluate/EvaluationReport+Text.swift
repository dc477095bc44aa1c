import Foundation
import Training

extension EvaluationReport {
    /// Reports for people, side by side: a line for each measure, a column for each run.
    public static func text(_ reports: [EvaluationReport]) -> String {
        // Runs may have other measures than the first: each is put where its run has it, below its heading.
        struct Name: Equatable {
            var heading: String
            var measure: String
        }
        var names: [Name] = []
        let columns = reports.map { report in
            var (heading, place) = ("", 0)
            return report.lines.map { line in
                if line.value.isEmpty { heading = line.name }
                let name = Name(heading: heading, measure: line.name)
                if let known = names.firstIndex(of: name) {
                    place = known + 1
                } else {
                    names.insert(name, at: place)
                    place += 1
                }
                return (name: name, value: line.value)
            }
        }
        let rows = names.map { name in
            [name.measure] + columns.map { lines in lines.first { $0.name == name }?.value ?? "–" }
        }
        let table = TextTable(header: rows[0], rows: Array(rows.dropFirst())).lines
        let lines = zip(table, names).map { line, name in
            name.measure == name.heading ? "\n" + name.measure : line
        }
        let notes = reports.flatMap { report in
            report.notes.map { reports.count > 1 ? "\(report.run): \($0)" : $0 }
        }
        return (lines + (notes.isEmpty ? [] : [""]) + notes).joined(separator: "\n")
    }

    /// A measure's name and value; a heading has no value.
    typealias Line = (name: String, value: String)

    private var lines: [Line] {
        [
            ("run", run), ("model", "\(model), \(parameters) parameters"),
            ("data", "\(data), \(split.rawValue)"),
            ("weights", posterior?.weights ?? "\(weights.rawValue), step \(step)"),
        ] + (quality?.lines ?? []) + (posterior?.lines ?? []) + (robustness?.lines ?? [])
            + (flatness?.lines ?? [])
    }
}

extension QualityReport {
    fileprivate var lines: [EvaluationReport.Line] {
        var lines: [EvaluationReport.Line] = [("quality", "")]
        func add(_ name: String, _ value: String?) { if let value { lines.append((name, value)) } }
        add("  targets", "\(evaluation.count)")
        add("  accuracy", evaluation.accuracy.map(share))
        add("  rmse", evaluation.rmse.map(number))
        add("  mae", evaluation.mae.map(number))
        add("  loss", number(evaluation.loss))
        add("  perplexity", evaluation.perplexity.map(number))
        if let classes {
            let calibration = classes.calibration
            add("  ECE, bins of equal width", share(calibration.equalWidthError))
            add("  ECE, bins of equal mass", share(calibration.equalMassError))
            add("  Brier score", number(classes.brier))
        }
        return lines
    }
}

extension RobustnessReport {
    fileprivate var lines: [EvaluationReport.Line] {
        let unit = units == .pixels ? "pixels in 0…1" : "inputs as the model sees them"
        var lines: [EvaluationReport.Line] = [("robustness: accuracy (ε, σ in \(unit))", "")]
        if let clean { lines.append(("  \(clean.count) examples, clean", share(clean.accuracy))) }
        for attack in attacks {
            lines.append(("  \(attack.name), ε = \(plain(attack.epsilon))", share(attack.result.accuracy)))
        }
        for name in InputDamage.allCases {
            let own = damage.filter { $0.name == name }
            guard !own.isEmpty else { continue }
            lines.append(
                (
                    "  \(name.rawValue), severity \(own.first!.severity)…\(own.last!.severity)",
                    own.map { share($0.result.accuracy) }.joined(separator: " ")
                ))
        }
        for noise in noise {
            lines.append(("  noise, σ = \(plain(noise.sigma))", share(noise.result.accuracy)))
        }
        if !labelNoise.isEmpty {
            let rates = labelNoise.map { plain($0.rate) }.joined(separator: " ")
            lines.append(
                ("  loss, labels redrawn at \(rates)", list(labelNoise.map { number($0.loss) })))
        }
        if let memorisation {
            let (right, wrong) = (memorisation.rightlyLabelled, memorisation.wronglyLabelled)
            lines.append(
                (
                    "  rightly labelled in training: as labelled",
                    "\(share(right.trainedAccuracy)) of \(right.count)"
                ))
            lines.append(
                (
                    "  wrongly labelled in training: as labelled",
                    "\(share(wrong.trainedAccuracy)) of \(wrong.count)"
                ))
            lines.append(("  wrongly labelled in training: as is true", share(wrong.trueAccuracy)))
        }
        return lines
    }
}

extension FlatnessReport {
    fileprivate var lines: [EvaluationReport.Line] {
        var lines: [EvaluationReport.Line] = [("flatness: loss on \(examples) training examples", "")]
        lines.append(("  loss", number(loss)))
        lines.append(("  gradient norm", number(gradientNorm)))
        if let top = topEigenvalue {
            lines.append(
                (
                    "  top Hessian eigenvalue",
                    "\(number(top.value)) (residual \(short(top.residual)), \(top.iterations) products"
                        + (top.isConverged ? ")" : ", not converged)")
                ))
            if let lowest = top.lowest { lines.append(("  lowest Hessian eigenvalue", number(lowest))) }
        }
        if let trace {
            lines.append(
                (
                    "  Hessian trace",
                    number(trace.value) + (trace.standardError.map { " ± \(short($0))" } ?? "")
                        + " (\(trace.probes) probes)"
                ))
        }
        for found in sharpness {
            lines.append(
                (
                    "  sharpness, ρ = \(plain(found.rho)): 1, \(found.steps) steps",
                    list([number(found.oneStep), number(found.ascent)])
                ))
        }
        for slice in slices {
            let chosen = [0, 1, 2, 3, 4].map { $0 * (slice.positions.count - 1) / 4 }
            let positions = chosen.map { plain(slice.positions[$0]) }.joined(separator: " ")
            lines.append(
                (
                    "  loss at \(positions), \(slice.direction.words)",
                    list(chosen.map { number(slice.losses[$0]) })
                ))
        }
        if let grid {
            let all = grid.losses.joined()
            lines.append(
                (
                    "  loss on the \(grid.positions.count)×\(grid.positions.count) grid: least, most",
                    list([number(all.min() ?? .nan), number(all.max() ?? .nan)])
                ))
        }
        return lines
    }
}

private func share(_ value: Double) -> String { String(format: "%.2f%%", value * 100) }
private func share(_ value: Double?) -> String { value.map(share) ?? "–" }
private func number(_ value: Double) -> String { String(format: "%.4g", value) }
private func plain(_ value: Double) -> String { String(format: "%g", value) }
private func list(_ values: [String]) -> String { values.joined(separator: " ") }
