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
            verdict(of: arm),
        ]
    }

    /// A value of the metric as people read it.
    func number(_ value: Double) -> String { judge.text(value) }

    func range(_ interval: Interval?) -> String {
        possible(interval).map { "\(number($0.lower)) … \(number($0.upper))" } ?? "–"
    }

    /// The part of an interval where the metric can be: Student's, of a few values far apart, leaves 0 to 100%.
    func possible(_ interval: Interval?) -> Interval? {
        guard let interval, judge.isShare else { return interval }
        return Interval(
            lower: max(0, interval.lower), upper: min(1, interval.upper), level: interval.level)
    }

    /// `+0.52 [0.21, 0.80]`: the arm's gain; above 0 is better.
    func gain(_ comparison: PairedComparison) -> String {
        let scale = judge.isShare ? 100.0 : 1
        func signed(_ value: Double) -> String {
            String(format: judge.isShare ? "%+.2f" : "%+.3g", value * scale)
        }
        let interval = comparison.interval.map { " [\(signed($0.lower)), \(signed($0.upper))]" } ?? ""
        return signed(comparison.mean ?? .nan) + interval
    }

    /// What the comparison says of an arm.
    func verdict(of arm: Arm) -> String {
        switch arm.comparison?.verdict {
        case nil: "baseline"
        case .better: "better"
        case .worse: "worse"
        case .noEffectShown(nil): "no effect shown"
        case .noEffectShown(let seeds?): "no effect shown (about \(seeds) seeds would show one of this size)"
        case .tooFewSeeds(let needed): "too few seeds (\(needed) at least)"
        case .lostSeeds(let count, let total): "\(arm.wayToFail) (\(count) of \(total) seeds)"
        case .baselineLostSeeds(let count, let total):
            "\(baseline) \(arms.first { $0.name == baseline }?.wayToFail ?? "lost") (\(count) of \(total) seeds)"
        }
    }

    private var notes: [String] {
        var notes = [
            "",
            "against \(baseline): the mean over seeds of the gain, paired by seed, with its bootstrap interval; above 0 is "
                + "better.",
            "p: sign-flip test, two-sided, corrected for \(counted(max(arms.count - 1, 1), "comparison")) by Holm; verdicts "
                + "at α = \(level).",
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
            notes += unequalCompute(of: arm).map { [$0] } ?? []
            notes += troubles(of: arm)
        }
        return notes
    }

    /// How far an arm's compute may be from the others', as a share, until the report says so.
    private static let tolerance = 0.02

    /// What is to be said where an arm got more or less compute than the most costly one, because its length is whole.
    func unequalCompute(of arm: Arm) -> String? {
        guard compute == .equal, let most = arms.map(\.cost.total).max() else { return nil }
        let share = arm.lengthFactor * arm.cost.total / most
        guard abs(share - 1) > Self.tolerance else { return nil }
        return
            "\(arm.name) got \(String(format: "%.0f%%", abs(share - 1) * 100)) \(share < 1 ? "less" : "more") compute than "
            + "equal: its epochs are whole, and equal compute asks for \(String(format: "%.2f", most / arm.cost.total)) times "
            + "as many. Give training.steps, or more epochs."
    }

    /// What is to be said of the seeds of an arm that have no number to compare, a sentence for each reason.
    func troubles(of arm: Arm) -> [String] {
        let all = arm.cells.count
        var words = [CellOutcome.Status.diverged, .failed].compactMap { status -> String? in
            let lost = arm.cells.filter { $0.outcome.status == status }
            return lost.first.map { first in
                "\(arm.name): \(lost.count) of \(counted(all, "seed")) \(status.rawValue), and "
                    + "\(lost.count == 1 ? "is" : "are") left out (seed \(first.seed): \(first.outcome.reason))."
                    + (status == .failed ? " The same command tries again." : "")
            }
        }
        let bare = arm.cells.filter { $0.outcome.status == .completed && $0.outcome.metrics[metric] == nil }
        if let first = bare.first {
            words.append(
                "\(arm.name): \(bare.count) of \(counted(all, "seed")) ended without a finite \(metric), and "
                    + "\(bare.count == 1 ? "is" : "are") left out (seed \(first.seed)).")
        }
        return words
    }
}

extension ComparisonReport.Arm {
    /// How its lost seeds were lost, in a word.
    fileprivate var wayToFail: String {
        let ways = Set(cells.map(\.outcome.status)).subtracting([.completed, .paused])
        return ways.count == 1 ? ways.first!.rawValue : "lost"
    }
}
