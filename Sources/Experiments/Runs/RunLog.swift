import Foundation
import Safetensors
import Training

/// `metrics.jsonl` by columns.
struct RunLog {
    /// What was measured at some steps.
    struct Column {
        var steps: [Int] = []
        /// nil for a number that was not finite.
        var values: [Double?] = []
    }

    /// A step at which the stability controller stepped in.
    struct Event {
        var step: Int
        /// `skippedNonFinite`, `rolledBack`.
        var name: String
        var loss: Double?
    }

    private(set) var columns: [MetricsRecord.Kind: [String: Column]] = [:]
    private(set) var events: [Event] = []
    /// The last step that was logged.
    private(set) var lastStep = 0

    /// Reads a log, also one that is being written; one that is missing is empty.
    /// - Throws: `FileError` where it cannot be read.
    init(contentsOf url: URL) throws {
        let text: String
        do {
            text = String(decoding: try MappedFile.contents(of: url), as: UTF8.self)
        } catch let error as FileError where error.reason == .missing {
            return
        }
        for line in text.split(separator: "\n") {
            guard let line = MetricsLine(line) else { continue }
            lastStep = max(lastStep, line.step)
            if let event = line.event {
                events.append(Event(step: line.step, name: event, loss: line.values["loss"]))
            }
            for name in Set(line.values.keys).union(line.notFinite) {
                columns[line.kind, default: [:]][name, default: Column()].steps.append(line.step)
                columns[line.kind]![name]!.values.append(line.values[name])
            }
        }
    }

    /// A column; nil where nothing of that name was measured.
    func column(_ kind: MetricsRecord.Kind, _ name: String) -> Column? {
        columns[kind]?[name].flatMap { column in column.values.contains { $0 != nil } ? column : nil }
    }

    /// What the model was judged on during the run.
    var judged: MetricsRecord.Kind { columns[.validation] == nil ? .test : .validation }
}
