import Foundation

extension ReproductionReport {
    /// The report for people: arms beside what was published, and every criterion with its outcome.
    public var text: String {
        let kept = checks.count(where: \.passed)
        var lines = ["\(id): \(title)\(scale == .quick ? " (quick)" : "")"]
        for (name, words) in [("claim", claim), ("source", source), ("set-up", setUp)] {
            lines += Self.wrapped(words, after: name.padding(toLength: 8, withPad: " ", startingAt: 0))
        }
        lines.append("")
        lines += table
        for arm in arms {
            if !arm.chosen.isEmpty {
                let values = arm.chosen.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
                lines.append("\(arm.name) chose \(values.joined(separator: ", ")) on held-out data.")
            }
            lines += arm.notes.map { "\(arm.name): \($0)" }
        }
        lines.append("")
        for check in checks {
            let control = check.isNegativeControl ? "negative control: " : ""
            lines += Self.wrapped(control + check.criterion, after: check.passed ? "pass  " : "FAIL  ")
            lines.append("      measured: \(check.measured)")
        }
        if !notes.isEmpty { lines += [""] + notes.flatMap { Self.wrapped($0, after: "") } }
        lines += [
            "",
            (passed ? "Reproduced" : "NOT reproduced")
                + ": \(kept) of \(checks.count) criteria are met, in \(Self.duration(elapsedSeconds)).",
        ]
        return lines.joined(separator: "\n")
    }

    private var table: [String] {
        var rows: [[String]] = []
        for arm in arms {
            for (number, measure) in arm.measures.enumerated() {
                let name = arm.name + (arm.isNegativeControl ? " (negative control)" : "")
                rows.append([
                    number == 0 ? name : "", measure.quantity, measure.published ?? "–",
                    measure.independent ?? "–",
                    measure.mean.map(Self.number) ?? "–", measure.deviation.map(Self.number) ?? "–",
                    measure.median.map(Self.number) ?? "–",
                    Self.range(measure.values), "\(measure.values.count)",
                ])
            }
        }
        return TextTable(
            header: ["arm", "measure", "published", "independent", "mean", "s", "median", "range", "seeds"],
            rows: rows
        ).lines
    }

    private static func range(_ values: [Double]) -> String {
        guard let least = values.min(), let greatest = values.max() else { return "–" }
        return "\(number(least)) … \(number(greatest))"
    }

    /// The words in lines of at most 110 characters, the first one after `head`, the others below its text.
    private static func wrapped(_ words: String, after head: String) -> [String] {
        var lines = [head]
        for word in words.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.count + word.count > 110, last.count > head.count {
                lines.append(String(repeating: " ", count: head.count) + word)
            } else {
                lines[lines.count - 1] = last + (last.count > head.count ? " " : "") + word
            }
        }
        return lines
    }

    /// Four digits that count.
    static func number(_ value: Double) -> String { String(format: "%.4g", value) }

    /// `12 s`, `3 min 20 s`.
    public static func duration(_ seconds: Double) -> String {
        if seconds < 10 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        return whole < 90 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
