import Foundation
import Safetensors
import Statistics
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

extension RunLog.Column {
    /// How many points a line of means has, and from how many on it is one: more are not told apart on a screen.
    private static let (means, mostPoints) = (150, 300)

    /// The column as a line. Of many points neighbours are taken together: the line is their mean, and the band reaches from
    /// the least to the greatest.
    func series(_ name: String, colour: Int, marked: Bool = false) -> ReportChart.Series {
        guard values.count > Self.mostPoints else {
            return ReportChart.Series(
                name: name, x: steps.map(Double.init), y: values.map { $0?.short6 },
                style: marked && values.count <= 60 ? .marked : .line, colour: colour)
        }
        var series = ReportChart.Series(name: name, x: [], y: [], lower: [], upper: [], colour: colour)
        for group in 0..<Self.means {
            let range =
                (values.count * group / Self.means)..<(values.count * (group + 1) / Self.means)
            let known = values[range].compactMap { $0 }
            series.x.append((Double(steps[range.lowerBound] + steps[range.upperBound - 1]) / 2).short6)
            series.y.append(known.isEmpty ? nil : Sample.mean(known).short6)
            series.lower!.append(known.min()?.short6)
            series.upper!.append(known.max()?.short6)
        }
        return series
    }

    /// How many steps a point stands for, in words; nil where each is shown.
    var thinning: String? {
        guard values.count > Self.mostPoints else { return nil }
        return
            "Each point is the mean of about \(values.count / Self.means) logged steps; the band reaches from the "
            + "least to the greatest."
    }
}

extension Double {
    /// The number with six digits: enough for a picture.
    var short6: Double { isFinite ? Double(String(format: "%.6g", self)) ?? self : self }
}
