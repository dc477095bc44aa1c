import Foundation

/// Runs side by side: what differs.
public struct RunDifferences: Encodable {
    /// The runs, as a user names them.
    public var runs: [String]
    /// By key path, the setting in each run; nil where a run has none. Only those that differ.
    public var settings: [String: [String?]]
    /// By name, the number in each run. Only those that differ.
    public var metrics: [String: [Double?]]
    public var status: [RunRecord.Status]

    public init(_ records: [RunRecord]) {
        runs = records.map(\.run)
        status = records.map(\.status)
        settings = Self.differing(records.map(\.settings))
        metrics = Self.differing(
            records.map { record in
                record.metrics.merging([
                    "steps": Double(record.steps), "trainingSeconds": record.trainingSeconds,
                ]) { $1 }
            })
    }

    private static func differing<Value: Equatable>(_ all: [[String: Value]]) -> [String: [Value?]] {
        Set(all.flatMap(\.keys)).reduce(into: [:]) { differing, key in
            let values = all.map { $0[key] }
            if values.contains(where: { $0 != values[0] }) { differing[key] = values }
        }
    }

    /// A line for each setting and each number, a column for each run.
    public var text: String {
        var rows: [[String]] = []
        if Set(status).count > 1 { rows.append(["status"] + status.map(\.rawValue)) }
        for (key, values) in settings.sorted(by: { $0.key < $1.key }) {
            rows.append([key] + values.map { $0 ?? "–" })
        }
        for (name, values) in metrics.sorted(by: { $0.key < $1.key }) {
            rows.append([name] + values.map { $0.map { RunTable.value($0, of: name) } ?? "–" })
        }
        if rows.isEmpty { rows.append(["nothing differs"] + runs.map { _ in "" }) }
        return TextTable(header: [""] + runs, rows: rows).lines.joined(separator: "\n")
    }
}
