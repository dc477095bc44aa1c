import Foundation
import TestSupport
import Testing

/// Places where nothing can be written, or only so much.
@Suite struct FileSystemTests {
    @Test func aRunNeverOverwritesAnother() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let first = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(first.status == 0 && first.stderr.isEmpty, "\(first.all)")
        #expect(first.json["run"] as? String == "runs/test")
        let before = try contents(below: directory.file("runs/test"))
        let second = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(second.json["run"] as? String == "runs/test-2", "\(second.all)")
        #expect(try contents(below: directory.file("runs/test")) == before)
        #expect(
            try ResumeTests.outcome(of: directory.file("runs/test-2"))
                == ResumeTests.outcome(of: directory.file("runs/test")))
    }

    @Test func aFileInTheWay() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        try Data("keep me".utf8).write(to: directory.file("runs"))
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 73 && !output.wasSignalled, "\(output.all)")
        #expect(output.stderr.contains("cannot create") && output.stderr.contains("/runs"), "\(output.all)")
        #expect(try String(contentsOf: directory.file("runs"), encoding: .utf8) == "keep me")
    }

    @Test func aPlaceWhereNobodyMayWrite() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        // Not even root makes directories in /proc.
        let output = try PeoTool.run(["train", config, "--output", "/proc/peo/run"], in: directory)
        #expect(output.status == 73 && !output.wasSignalled, "\(output.all)")
        #expect(output.stderr.contains("cannot create /proc/peo"), "\(output.all)")
    }

    @Test(.enabled(if: SmallDisk.canMount, "mounting a tmpfs needs root")) func aReadOnlyDisk() throws {
        let disk = try #require(try SmallDisk(options: "size=8m"))
        let config = try PeoTool.config(PeoTool.smallConfig, in: disk.directory)
        let made = try PeoTool.run(["train", config, "--output", "disk/run"], in: disk.directory)
        #expect(made.status == 0, "\(made.all)")
        let before = try contents(below: disk.mountPoint)
        try #require(disk.remount("ro"))
        let output = try PeoTool.run(["train", config, "--output", "disk/run"], in: disk.directory)
        #expect(output.status == 73 && output.stderr.contains("Read-only file system"), "\(output.all)")
        #expect(try contents(below: disk.mountPoint) == before)
    }

    /// The disk fills up in the middle of a run: the checkpoints so far stay whole, and the run goes on from them
    /// once there is room.
    @Test(.enabled(if: SmallDisk.canMount, "mounting a tmpfs needs root")) func aFullDisk() throws {
        let disk = try #require(try SmallDisk(options: "size=180k"))
        let yaml = PeoTool.smallConfig.replacingOccurrences(
            of: "steps: 40", with: "steps: 40, evaluateEvery: {steps: 1000}"
        )
        .replacingOccurrences(of: "[16]", with: "[128]")
        let config = try PeoTool.config(yaml, in: disk.directory)
        let output = try PeoTool.run(["train", config, "--output", "disk/run"], in: disk.directory)
        #expect(output.status == 74 && !output.wasSignalled && output.stdout.isEmpty, "\(output.all)")
        #expect(
            output.stderr.contains("No space left on device") && output.stderr.contains("disk/run"),
            "\(output.all)")
        let checkpoints = disk.mountPoint.appendingPathComponent("run/checkpoints")
        let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints.path)
        #expect(!names.isEmpty && names.allSatisfy { $0.hasPrefix("step-") }, "\(names)")

        try #require(disk.remount("size=8m"))
        let resumed = try PeoTool.run(["train", "--resume", "disk/run"], in: disk.directory)
        #expect(resumed.status == 0, "\(resumed.all)")
        let whole = try PeoTool.run(["train", config, "--output", "whole"], in: disk.directory)
        #expect(whole.status == 0, "\(whole.all)")
        try ResumeTests.expectSame(
            disk.mountPoint.appendingPathComponent("run"), as: disk.directory.file("whole"),
            "after a full disk")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func aFullStandardOutput() throws {
        let directory = try TemporaryDirectory()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\"$0\" list > /dev/full", PeoTool.executable.path]
        let errors = directory.file("errors")
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: errors, encoding: .utf8)
        #expect(process.terminationStatus == 74 && text.contains("standard output"), "\(text)")
    }
}
