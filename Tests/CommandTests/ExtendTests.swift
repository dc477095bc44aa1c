import Foundation
import TestSupport
import Testing

/// A run that is made longer when it is resumed.
@Suite struct ExtendTests {
    /// A run that ended and goes on has the bits of one that was as long from the start, where no schedule follows the
    /// run's length.
    @Test func isTheLongRun() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(
            PeoTool.smallConfig.replacingOccurrences(of: "steps: 40", with: "epochs: 2"), in: directory)
        let short = try PeoTool.run(["train", config, "--json", "--output", "run"], in: directory)
        #expect(short.status == 0, "\(short.all)")
        let long = try PeoTool.run(
            ["train", config, "--json", "--output", "long", "--set", "training.epochs=4"], in: directory)
        #expect(long.status == 0, "\(long.all)")
        let extended = try PeoTool.run(
            ["train", "--resume", "run", "--set", "training.epochs=4", "--json"], in: directory)
        #expect(extended.status == 0, "\(extended.all)")
        let result = extended.json["result"] as? [String: Any] ?? [:]
        #expect(
            result["status"] as? String == "completed" && result["epochs"] as? Int == 4, "\(extended.all)")
        for name in ["model.safetensors", "metrics.jsonl"] {
            #expect(
                try Data(contentsOf: directory.file("run/\(name)"))
                    == Data(contentsOf: directory.file("long/\(name)")), "\(name)")
        }
        #expect(
            try String(contentsOf: directory.file("run/config.yaml"), encoding: .utf8).contains("epochs: 4"))
        let again = try PeoTool.run(["train", "--resume", "run"], in: directory)
        #expect(again.status == 0 && again.stderr.contains("was finished before"), "\(again.all)")
    }

    @Test(arguments: [
        ("training.seed=4", 64 as Int32, "'training.seed' cannot change", "training.epochs, training.steps"),
        ("training.steps=30", 64, "--set training.steps: is 30", "40, the run's own, or more"),
        ("training.epochs=9", 65, "training.steps", "'epochs' is given too"),
    ])
    func anythingElseIsRefused(setting: String, status: Int32, words: String, allowed: String) throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        #expect(try PeoTool.run(["train", config, "--output", "run"], in: directory).status == 0)
        let before = try contents(below: directory.file("run"))
        let output = try PeoTool.run(["train", "--resume", "run", "--set", setting], in: directory)
        #expect(output.status == status, "\(output.all)")
        #expect(output.stderr.contains(words) && output.stderr.contains(allowed), "\(output.all)")
        #expect(try contents(below: directory.file("run")) == before)
    }
}
