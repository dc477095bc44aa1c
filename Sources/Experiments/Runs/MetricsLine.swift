import Foundation
import Safetensors
import Training

/// A line of `metrics.jsonl`, read back.
struct MetricsLine {
    var step: Int
    var epoch: Int
    var kind: MetricsRecord.Kind
    /// What was measured, by name; numbers that were not finite are absent.
    var values: [String: Double]
    /// The names of those.
    var notFinite: [String]
    /// What the stability controller did.
    var event: String?

    /// Nil for a line that is not whole, such as the last one of a run that is being written.
    init?(_ line: some StringProtocol) {
        guard let object = (try? JSONValue(Data(line.utf8)))?.object,
            let step = object["step"]?.integer,
            let kind = object["kind"]?.string.flatMap(MetricsRecord.Kind.init)
        else { return nil }
        self.step = step
        self.kind = kind
        epoch = object["epoch"]?.integer ?? 0
        event = object["event"]?.string
        notFinite = object.members.filter(\.value.isNull).map(\.key)
        values = object.members.reduce(into: [:]) { values, member in
            switch member.value {
            case .integer(let value) where member.key != "step" && member.key != "epoch":
                values[member.key] = Double(value)
            case .number(let value): values[member.key] = value
            default: break
            }
        }
    }
}
