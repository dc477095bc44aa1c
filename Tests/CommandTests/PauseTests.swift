import Foundation
import TestSupport
import Testing

/// A run that waits on the way, as those of a search do.
@Suite struct PauseTests {
    /// Pauses leave no trace: the weights and the log are those of a run without.
    @Test func pausesLeaveNoTrace() throws {
        let directory = try TemporaryDirectory()
        let settings = [
            "--set", "training.validation={fraction: 0.1}", "--set", "training.average={ema: 0.9}",
        ]
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let whole = try PeoTool.run(["train", "test.yaml", "--output", "whole"] + settings, in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let first = try PeoTool.run(
            ["train", "test.yaml", "--output", "parts", "--pause-at", "0.26", "--json"] + settings,
            in: directory)
        let pause = first.json["pause"] as? [String: Any] ?? [:]
        #expect(pause["step"] as? Int == 11 && pause["on"] as? String == "validation", "\(first.all)")
        // The same pause again takes no step.
        let again = try PeoTool.run(
            ["train", "--resume", "parts", "--pause-at", "0.26", "--json"], in: directory)
        #expect(try Self.pause(again) == Self.pause(first), "\(again.all)")
        for share in ["0.5", "1"] {
            let next = try PeoTool.run(
                ["train", "--resume", "parts", "--pause-at", share, "--json"], in: directory)
            #expect(next.status == 0, "\(next.all)")
        }
        for name in ["metrics.jsonl", "model.safetensors"] {
            #expect(
                try Data(contentsOf: directory.file("whole/\(name)"))
                    == Data(contentsOf: directory.file("parts/\(name)")), "\(name)")
        }
    }

    /// An agent's run waits too, and says what a result would say there.
    @Test func anAgentsPausesLeaveNoTrace() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(
            AgentTests.pendulum.replacingOccurrences(of: "steps: 40000", with: "steps: 6000"), in: directory)
        let whole = try PeoTool.run(["train", config, "--output", "whole"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let first = try PeoTool.run(
            ["train", config, "--output", "parts", "--pause-at", "0.3", "--json"], in: directory)
        let pause = first.json["pause"] as? [String: Any] ?? [:]
        let metrics = pause["metrics"] as? [String: Double] ?? [:]
        // Rollouts are of 111 steps, and the one that reaches 1,800 is ended.
        #expect(pause["step"] as? Int == 1887 && pause["on"] as? String == "episodes", "\(first.all)")
        #expect(metrics["return"] ?? 0 < -500 && metrics["evaluation.return"] != nil, "\(first.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("parts/result.json").path))
        for share in ["0.3", "0.7", "1"] {
            let next = try PeoTool.run(
                ["train", "--resume", "parts", "--pause-at", share, "--json"], in: directory)
            #expect(next.status == 0, "\(next.all)")
            if share == "0.3" { #expect(try Self.pause(next) == Self.pause(first), "\(next.all)") }
        }
        try ResumeTests.expectSame(directory.file("parts"), as: directory.file("whole"), "paused twice")
    }

    /// A cell's run is where it was told to be, or nowhere: a run of another name would be lost to who started it.
    @Test func aCellTakesNoOtherPlace() throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let arguments = ["train", "test.yaml", "--output", "cell", "--json", "--exact-output"]
        let first = try PeoTool.run(arguments, in: directory)
        #expect(first.status == 0, "\(first.all)")
        let before = try contents(below: directory.file("cell"))
        let second = try PeoTool.run(arguments, in: directory)
        let code = (second.json["error"] as? [String: Any])?["code"] as? String
        #expect(second.status != 0 && code == "file.inUse", "\(second.all)")
        #expect(try contents(below: directory.file("cell")) == before)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.url.path)
        #expect(!names.contains("cell-2") && !names.contains { $0.hasPrefix(".peo-run") }, "\(names)")
    }

    private static func pause(_ output: PeoTool.Output) throws -> Data {
        try JSONSerialization.data(withJSONObject: output.json["pause"] ?? [:], options: .sortedKeys)
    }
}
