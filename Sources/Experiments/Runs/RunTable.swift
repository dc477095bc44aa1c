import Foundation
import Training

/// Runs as text: a table for people, and CSV for programs.
public enum RunTable {
    /// One line a run; `metric` is shown too if it is not among those that always are.
    public static func text(_ records: [RunRecord], metric: String? = nil) -> String {
        var metrics = ["accuracy", "loss", "perplexity", "rmse", "return"].filter { name in
            records.contains { $0.metrics[name] != nil }
        }
        if let metric, records.contains(where: { $0.metrics[metric] != nil }), !metrics.contains(metric) {
            metrics.append(metric)
        }
        let header = ["run", "status", "started", "data", "model", "perturbation", "seed", "steps"] + metrics
        let rows = records.map { record in
            [
                record.run, record.status.rawValue, record.started.map(time) ?? "–", record.data,
                record.model,
                record.perturbation.isEmpty ? "–" : record.perturbation,
                record.seed.map { "\($0)" } ?? "–", "\(record.steps)",
            ] + metrics.map { name in record.metrics[name].map { value($0, of: name) } ?? "–" }
        }
        return TextTable(header: header, rows: rows).lines.joined(separator: "\n")
    }

    /// `2026-11-25 09:30`, by the local clock.
    static func time(_ text: String) -> String {
        guard let date = try? Date(text, strategy: .iso8601) else { return text }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: date)
    }

    /// A metric as people read it: shares as percentages.
    public static func value(_ value: Double, of name: String) -> String {
        name.hasSuffix("accuracy") ? String(format: "%.2f%%", value * 100) : String(format: "%.4g", value)
    }

    /// All that the index knows as CSV (RFC 4180): metrics by their names, settings as `config.` and their key path.
    public static func csv(_ records: [RunRecord]) -> String {
        let metrics = Set(records.flatMap(\.metrics.keys)).sorted()
        let settings = Set(records.flatMap(\.settings.keys)).sorted()
        let header =
            [
                "run", "name", "status", "message", "model", "data", "perturbation", "seed", "started",
                "ended",
                "steps", "trainingSeconds",
            ] + metrics + settings.map { "config.\($0)" }
        let rows = records.map { record -> [String] in
            [
                record.run, record.name, record.status.rawValue, record.message ?? "", record.model,
                record.data,
                record.perturbation, record.seed.map { "\($0)" } ?? "", record.started ?? "",
                record.ended ?? "", "\(record.steps)", "\(record.trainingSeconds)",
            ] + metrics.map { record.metrics[$0].map { "\($0)" } ?? "" }
                + settings.map { record.settings[$0] ?? "" }
        }
        return ([header] + rows).map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
