import Foundation
import Statistics

extension ComparisonReport {
    /// The report for people: a table of the arms, and a verdict on each.
    public var text: String {
        let table = TextTable(
            header: ["arm", metric, "95% interval", "gradients", "against \(baseline)", "p", "verdict"],
            rows: arms.map(row)
        ).lines
        return (table + notes).joined(separator: "\n")
    }

    private func row(_ arm: Arm) -> [String] {
        let measure = arm.measures[metric]
        let gradients = arm.measures["gradientEvaluations"].map { String(format: "%.0f", $0.mean) } ?? "–"
        let comparison = arm.comparison
        return [
            arm.name, measure.map { number($0.mean) } ?? "–", range(measure?.interval), gradients,
            comparison.map { $0.count > 0 ? gain($0) : "–" } ?? "",
            comparison.map { $0.count > 0 ? String(format: "%.3g", $0.adjustedPValue) : "–" } ?? "",
            comparison.map(Self.words) ?? "baseline",
        ]
    }

    /// A value of the metric as people read it.
    func number(_ value: Double) -> String { judge.text(value) }

    func range(_ interval: Interval?) -> String {
        interval.map { "\(number($0.lower)) … \(number($0.upper))" } ?? "–"
    }

    /// `+0.52 [0.21, 0.80]`: the arm's gain; above 0 is better.
    func gain(_ comparison: PairedComparison) -> String {
        let scale = judge.isShare ? 100.0 : 1
        func signed(_ value: Double) -> String {
            String(format: judge.isShare ? "%+.2f" : "%+.3g", value * scale)
        }
        let interval = comparison.interval.map { " [\(signed($0.lower)), \(signed($0.upper))]" } ?? ""
        return signed(comparison.mean) + interval
    }

    static func words(_ comparison: PairedComparison) -> String {
        switch comparison.verdict {
        case .better: "better"
        case .worse: "worse"
        case .noEffectShown(nil): "no effect shown"
        case .noEffectShown(let seeds?): "no effect shown (about \(seeds) seeds would show one of this size)"
        case .tooFewSeeds(let needed): "too few seeds (\(needed) at least)"
        }
    }

    private var notes: [String] {
        var notes = [
            "",
            "against \(baseline): the mean over seeds of the gain, paired by seed, with its bootstrap interval; above 0 is "
                + "better.",
            "p: sign-flip test, two-sided, corrected for \(max(arms.count - 1, 1)) comparison(s) by Holm; verdicts at "
                + "α = \(level).",
        ]
        for arm in arms {
            if !arm.chosen.isEmpty {
                let values = arm.chosen.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
                notes.append("\(arm.name) chose \(values.joined(separator: ", ")) on held-out data.")
            }
            if abs(arm.lengthFactor - 1) > 1e-9 {
                notes.append(
                    "\(arm.name) was trained \(String(format: "%.2f", arm.lengthFactor)) times as long, for equal compute."
                )
            }
            notes += arm.troubles
        }
        return notes
    }
}

extension ComparisonReport.Arm {
    /// The seeds that were not trained to their end, a sentence for each way to fail.
    var troubles: [String] {
        [CellOutcome.Status.diverged, .failed].compactMap { status in
            let lost = cells.filter { $0.outcome.status == status }
            return lost.first.map { first in
                "\(name): \(lost.count) of \(cells.count) seeds \(status.rawValue), and are left out (seed "
                    + "\(first.seed): \(first.outcome.reason))."
            }
        }
    }
}
