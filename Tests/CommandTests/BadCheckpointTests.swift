import Foundation
import Safetensors
import TestSupport
import Testing

/// A run whose checkpoints cannot be used: the file and the reason are named, and nothing of the run changes.
@Suite struct BadCheckpointTests {
    /// A run that was interrupted: its directory has checkpoints of steps 10, 20 or so, and no result.
    private static func interrupted(
        _ yaml: String = PeoTool.smallConfig, in directory: TemporaryDirectory, name: String = "run"
    ) throws -> URL {
        let config = try PeoTool.config(yaml, in: directory, name: "\(name).yaml")
        let output = try PeoTool.run(["train", config, "--output", name], in: directory)
        #expect(output.status == 0, "\(output.all)")
        // As if it had been killed after step 30 of 40.
        let run = directory.file(name)
        for file in ["result.json", "model.safetensors", "checkpoints/step-000000040.safetensors"] {
            try FileManager.default.removeItem(at: run.appendingPathComponent(file))
        }
        let last = run.appendingPathComponent("checkpoints/step-000000030.safetensors")
        #expect(FileManager.default.fileExists(atPath: last.path))
        return run
    }

    private static func checkpoint(_ step: Int, of run: URL) -> URL {
        run.appendingPathComponent("checkpoints/step-0000000\(step).safetensors")
    }

    private func refuses(
        _ run: URL, in directory: TemporaryDirectory, status: Int32 = 65, says: [String]
    ) throws {
        let before = try contents(below: run)
        let output = try PeoTool.run(["train", "--resume", run.lastPathComponent], in: directory)
        #expect(output.status == status && !output.wasSignalled && output.stdout.isEmpty, "\(output.all)")
        for text in says { #expect(output.stderr.contains(text), "wanted: \(text)\n\(output.all)") }
        #expect(try contents(below: run) == before, "the run has changed: \(output.all)")
    }

    @Test func ofAnotherModel() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let other = try Self.interrupted(
            PeoTool.smallConfig.replacingOccurrences(of: "[16]", with: "[8]"), in: directory, name: "other")
        for step in [30] {
            let data = try Data(contentsOf: Self.checkpoint(step, of: other))
            try data.write(to: Self.checkpoint(step, of: run))
        }
        try refuses(
            run, in: directory,
            says: ["step-000000030.safetensors", "another model", "1.weight", "[8, 64]", "[16, 64]"])
    }

    @Test func ofAFutureVersion() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let url = Self.checkpoint(30, of: run)
        let file = try SafetensorsFile(contentsOf: url)
        var metadata = file.metadata
        metadata["peo.checkpoint.version"] = "99"
        try SafetensorsFile(tensors: file.tensors, metadata: metadata).write(to: url)
        try refuses(
            run, in: directory,
            says: ["step-000000030.safetensors", "version 99", "up to version 1", "newer peo"])
    }

    /// A damaged checkpoint is refused by name, and the one before is used.
    @Test(arguments: [true, false]) func truncatedOrFlipped(truncate: Bool) throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let url = Self.checkpoint(30, of: run)
        var data = try Data(contentsOf: url)
        if truncate {
            data.removeLast(data.count / 3)
        } else {
            data[data.count - 100] ^= 4
        }
        // The one before, as the run kept it at the time.
        try FileManager.default.copyItem(at: url, to: Self.checkpoint(31, of: run))
        try data.write(to: Self.checkpoint(31, of: run))
        let output = try PeoTool.run(["train", "--resume", "run"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(output.stderr.contains("step-000000031.safetensors is damaged"), "\(output.all)")
        #expect(output.stderr.contains("going on from step 30"), "\(output.all)")
    }

    @Test(arguments: [true, false]) func allDamaged(truncate: Bool) throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let url = Self.checkpoint(30, of: run)
        var data = try Data(contentsOf: url)
        if truncate {
            data.removeLast(1)
        } else {
            data[data.count / 2] ^= 1
        }
        try data.write(to: url)
        try refuses(
            run, in: directory,
            says: [
                "step-000000030.safetensors", "damaged", truncate ? "truncated" : "SHA-256",
                "no other to resume from",
            ])
    }

    @Test func otherSettingsAreRefused() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let before = try contents(below: run)
        let output = try PeoTool.run(
            ["train", "run.yaml", "--set", "rule.momentum.momentum=0.5", "--resume", "run"], in: directory)
        #expect(output.status == 65, "\(output.all)")
        #expect(
            output.stderr.contains("momentum: 0.9") && output.stderr.contains("momentum: 0.5"),
            "\(output.all)")
        #expect(try contents(below: run) == before)
        let same = try PeoTool.run(["train", "run.yaml", "--resume", "run"], in: directory)
        #expect(same.status == 0, "\(same.all)")
    }

    @Test func anotherRuleIsRefused() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let config = run.appendingPathComponent("config.yaml")
        let text = try String(contentsOf: config, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("rule:") }),
            let end = lines.firstIndex(where: { $0.hasPrefix("perturbation:") })
        else { return #expect(Bool(false), "\(text)") }
        let edited = lines[..<start] + ["rule: {adam: {learningRate: 0.01}}"] + lines[end...]
        try Data(edited.joined(separator: "\n").utf8).write(to: config)
        try refuses(
            run, in: directory, says: ["step-000000030.safetensors", "another rule", "momentum", "adam"])
    }

    @Test func twoProcessesCannotWorkOnOneRun() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.interrupted(in: directory)
        let lock = open(run.appendingPathComponent(".lock").path, O_RDWR)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        try refuses(run, in: directory, status: 73, says: ["run", "another process"])
    }
}
