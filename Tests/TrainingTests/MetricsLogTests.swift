import Foundation
import TestSupport
import Testing
import Training

@Suite struct MetricsLogTests {
    private static func record(_ step: Int) -> MetricsRecord {
        MetricsRecord(
            kind: .train, step: step, epoch: 0, values: [("loss", 1 / Double(step)), ("sigma", .nan)])
    }

    @Test func aResumedLogDropsLaterAndUnfinishedLines() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("metrics.jsonl")
        do {
            let log = try MetricsLog(url: url, keepingUpTo: 0)
            for step in 1...20 { try log.append(Self.record(step)) }
        }
        let whole = try Data(contentsOf: url)
        // Killed in the middle of a line.
        try whole.dropLast(7).write(to: url)
        let log = try MetricsLog(url: url, keepingUpTo: 12)
        for step in 13...20 { try log.append(Self.record(step)) }
        #expect(try Data(contentsOf: url) == whole)
    }

    @Test func linesAreJSON() throws {
        let line = Self.record(3).line
        #expect(line == "{\"step\":3,\"epoch\":0,\"kind\":\"train\",\"loss\":\(1.0 / 3),\"sigma\":null}\n")
    }
}
