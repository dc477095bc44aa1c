import Foundation
import Statistics

extension SearchReport {
    /// Trials that the text shows.
    private static let shown = 10

    /// The report for people.
    public var text: String {
        var lines = TextTable(
            header: ["trial", "trained", isOfAgents ? metric : "held-out \(metric)"]
                + settings.map { SearchTrial.short($0.split(separator: ".").map(String.init)) }, rows: rows
        ).lines
        let failed = trials.filter { $0.values.contains { $0 == nil } }
        if trials.count > rows.count {
            lines.append("… the best \(rows.count) of \(trials.count) trials; all are in search.json")
        }
        if let first = failed.first {
            lines.append(
                "\(failed.count) of \(trials.count) trials diverged or failed (trial \(first.number): "
                    + "\(first.message ?? "no reason given"))")
        }
        lines += [
            "",
            "trained to the end with \(counted(finalists[0].seeds.count, "seed")) of their own"
                + (isOfAgents ? ":" : ", on held-out data:"),
        ]
        lines +=
            TextTable(
                header: ["", metric, "95% interval"],
                rows: finalists.map { finalist in
                    [
                        Self.name(of: finalist), finalist.mean.map(judge.text) ?? "not trained to the end",
                        finalist.interval.map { "\(judge.text($0.lower)) … \(judge.text($0.upper))" } ?? "–",
                    ]
                }
            ).lines
        return lines.joined(separator: "\n")
    }

    private static func name(of finalist: Finalist) -> String {
        finalist.trial.map { "trial \($0)" } ?? "as it is"
    }

    private var rows: [[String]] {
        let whole = trials.filter { $0.values.last.map { $0 != nil } ?? false }
        let ranked = whole.sorted { a, b in
            if a.values.count != b.values.count { return a.values.count > b.values.count }
            return (judge.loss(a.values.last!!), a.number) < (judge.loss(b.values.last!!), b.number)
        }
        return ranked.prefix(Self.shown).map { trial in
            [
                "\(trial.number)", String(format: "%.0f%%", shares[trial.values.count - 1] * 100),
                judge.text(trial.values.last!!),
            ] + settings.map { trial.settings[$0] ?? "" }
        }
    }
}
