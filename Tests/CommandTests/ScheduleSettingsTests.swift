import Foundation
import TestSupport
import Testing

/// Schedules in epochs, as a configuration writes them.
@Suite struct ScheduleSettingsTests {
    /// 20 steps an epoch; the metrics have η of each step.
    private static func config(_ rate: String, in directory: TemporaryDirectory) throws -> String {
        try PeoTool.config(
            """
            model: {lstm: {hidden: 4, layers: 1}}
            data: {modularAddition: {modulus: 20}}
            training: {epochs: 6, batchSize: 10, logEvery: 1, threads: 1}
            rule: {sgd: {learningRate: \(rate)}}
            perturbation: []
            """, in: directory)
    }

    private static func rates(_ rate: String) throws -> [Double] {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(
            ["train", config(rate, in: directory), "--json", "--output", "run"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        return try String(contentsOf: directory.file("run/metrics.jsonl"), encoding: .utf8)
            .split(separator: "\n")
            .compactMap { line in
                let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return record?["learningRate"] as? Double
            }
    }

    @Test func epochsAreSteps() throws {
        let inEpochs = try Self.rates(
            "{step: {from: 0.1, factor: 0.5, every: {epochs: 2}, warmup: {epochs: 0.5}}}")
        let perEpoch = inEpochs.count / 6
        #expect(perEpoch > 1 && inEpochs.count == 6 * perEpoch)
        let warm = Int((0.5 * Double(perEpoch)).rounded())
        for (step, rate) in inEpochs.enumerated() {
            let wanted =
                step < warm
                ? 0.1 * Double(step + 1) / Double(warm + 1)
                : 0.1 * [1, 0.5, 0.25][(step - warm) / (2 * perEpoch)]
            #expect(abs(rate - wanted) < 1e-12, "step \(step)")
        }
    }

    @Test(arguments: [
        ("{step: {from: 0.1, factor: 0.5, every: {epoch: 2}}}", "unknown key 'epoch'"),
        (
            "{step: {from: 0.1, factor: 0.5, every: {epochs: 0}}}",
            "every: is {epochs: 0.0}; allowed: a whole number ≥ 1"
        ),
        ("{cosine: {from: 0.1, warmup: {epochs: -1}}}", "warmup: is {epochs: -1.0}"),
        ("{cosine: {from: 0.1, steps: {epochs: 1, steps: 2}}}", "give one of 'steps' and 'epochs'"),
        ("{cosine: {from: 0.1, steps: soon}}", "steps"),
    ])
    func wrongLengthsAreRefused(rate: String, words: String) throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["train", Self.config(rate, in: directory)], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        #expect(
            output.stderr.contains("test.yaml:4: rule.sgd.learningRate") && output.stderr.contains(words),
            "\(output.all)")
    }

    @Test func theyAreListed() throws {
        let directory = try TemporaryDirectory()
        for arguments in [["list", "schedules"], ["list", "schedules", "step"]] {
            let output = try PeoTool.run(arguments, in: directory)
            #expect(
                output.stdout.contains("warmup: n") && output.stdout.contains("{epochs: n}"), "\(output.all)")
        }
    }
}
