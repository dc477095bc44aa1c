import Foundation
import TestSupport
import Testing

/// `peo runs`: the index of runs.
@Suite struct RunsTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
    }

    private var index: URL { directory.file("runs/index.sqlite") }

    @discardableResult
    private func train(_ more: String..., environment: [String: String] = [:]) throws -> PeoTool.Output {
        let output = try PeoTool.run(
            ["train", "test.yaml", "--set", "training.steps=3"] + more, in: directory,
            environment: environment)
        #expect(output.status == 0, "\(output.all)")
        return output
    }

    /// The runs that are listed, by path.
    private func list(_ more: String..., environment: [String: String] = [:]) throws -> [(
        run: String, status: String
    )] {
        let output = try PeoTool.run(
            ["runs"] + more + ["--json"], in: directory, environment: environment)
        #expect(output.status == 0, "\(output.all)")
        let runs = try #require(output.json["runs"] as? [[String: Any]], "\(output.all)")
        return runs.map { ($0["run"] as? String ?? "", $0["status"] as? String ?? "") }
    }

    /// Starts a run that takes long, and waits until it is under way.
    private func startLongRun(_ output: String) throws -> Process {
        let process = try PeoTool.start(
            ["train", "test.yaml", "--set", "training.steps=10000000", "--output", output], in: directory,
            stdout: directory.file("long.out"), stderr: directory.file("long.err"))
        let log = directory.file("\(output)/metrics.jsonl")
        while process.isRunning, ((try? Data(contentsOf: log))?.count ?? 0) == 0 { usleep(20_000) }
        #expect(process.isRunning)
        return process
    }

    /// Runs outside the folder are known only by the index: all of eight that write to it at once are in it.
    @Test func manyProcessesWriteAtOnce() throws {
        let processes = try (1...8).map { number in
            try PeoTool.start(
                [
                    "train", "test.yaml", "--set", "training.steps=3", "--set", "training.seed=\(number)",
                    "--output", "elsewhere/\(number)",
                ], in: directory, stdout: directory.file("\(number).out"),
                stderr: directory.file("\(number).err"))
        }
        for (number, process) in zip(1..., processes) {
            process.waitUntilExit()
            let words = try String(contentsOf: directory.file("\(number).err"), encoding: .utf8)
            #expect(process.terminationStatus == 0 && !words.contains("warning"), "\(words)")
        }
        let runs = try list("--sort", "run")
        #expect(runs.map(\.run) == (1...8).map { "elsewhere/\($0)" })
        #expect(runs.allSatisfy { $0.status == "completed" })
    }

    @Test func aLostIndexIsMadeAnew() throws {
        try train()
        try train()
        let before = try PeoTool.run(["runs", "--json"], in: directory)
        try FileManager.default.removeItem(at: index)
        let after = try PeoTool.run(["runs", "--json"], in: directory)
        #expect(
            before.stdout == after.stdout && !before.stdout.isEmpty && after.stderr.isEmpty, "\(after.all)")
        #expect(FileManager.default.fileExists(atPath: index.path))
    }

    enum Fault: CaseIterable { case text, cut, overwritten, otherTable, empty }

    /// A damaged index costs a training one warning and no more; `peo runs` puts it aside.
    @Test(arguments: Fault.allCases) func aDamagedIndexIsMadeAnew(_ fault: Fault) throws {
        try train()
        let before = try list()
        switch fault {
        case .text: try Data("this is no database".utf8).write(to: index)
        case .cut: try Data(contentsOf: index).prefix(5000).write(to: index)
        case .overwritten:
            var bytes = try Data(contentsOf: index)
            for place in stride(from: 100, to: bytes.count, by: 7) { bytes[place] = 0xA5 }
            try bytes.write(to: index)
        case .otherTable:
            try FileManager.default.removeItem(at: index)
            _ = try ParityPython.run(
                "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
                    + "c.execute('create table run (run text primary key, x blob)'); "
                    + "c.execute(\"insert into run values ('a', 1)\"); c.execute('pragma user_version = 1'); c.commit()",
                index.path)
        case .empty: try Data().write(to: index)
        }
        let output = try train()
        let warnings = output.stderr.split(separator: "\n").filter { $0.contains("warning") }
        // An empty file is an empty database.
        #expect(warnings.count == (fault == .empty ? 0 : 1), "\(output.all)")
        let listed = try PeoTool.run(["runs", "--sort", "run", "--json"], in: directory)
        let runs = (listed.json["runs"] as? [[String: Any]])?.compactMap { $0["run"] as? String }
        #expect(listed.status == 0 && runs == ["runs/test", "runs/test-2"], "\(listed.all)")
        #expect(before.map(\.run) == ["runs/test"])
        #expect(listed.stderr.contains("is damaged; made anew") == (fault != .empty), "\(listed.all)")
        #expect(
            FileManager.default.fileExists(atPath: index.path + ".damaged") == (fault != .empty))
        let again = try PeoTool.run(["runs"], in: directory)
        #expect(again.stderr.isEmpty, "\(again.all)")
    }

    /// What has become of runs since they were entered: cut files, a directory that is gone, one that is moved.
    @Test func anOldIndexIsBroughtUpToDate() throws {
        for _ in 0..<4 { try train() }
        try train("--output", "runs/deep/er", environment: ["PEO_RUNS": "second"])
        try train("--no-index", "--output", "runs/left-out")
        _ = try list()
        try FileManager.default.removeItem(at: directory.file("runs/test/config.yaml"))
        try Data("{".utf8).write(to: directory.file("runs/test-2/result.json"))
        try FileManager.default.removeItem(at: directory.file("runs/test-3"))
        try FileManager.default.moveItem(
            at: directory.file("runs/test-4"), to: directory.file("runs/moved"))
        let runs = try list("--sort", "run")
        #expect(
            runs.map { "\($0.run) \($0.status)" } == [
                "runs/deep/er completed", "runs/moved completed", "runs/test damaged", "runs/test-2 damaged",
                "runs/test-3 missing", "runs/test-4 missing",
            ])
        let shown = try PeoTool.run(["runs", "show", "test"], in: directory)
        #expect(shown.stdout.contains("config.yaml is missing"), "\(shown.all)")

        let deleted = try PeoTool.run(
            ["runs", "delete", "--yes", "runs/test", "test-2", "test-3"], in: directory)
        #expect(deleted.status == 0, "\(deleted.all)")
        #expect(try list("--sort", "run").map(\.run) == ["runs/deep/er", "runs/moved", "runs/test-4"])
        let rebuilt = try PeoTool.run(["runs", "rebuild"], in: directory)
        #expect(rebuilt.stdout == "2 runs in the index\n", "\(rebuilt.all)")
        #expect(try list("--sort", "run").map(\.run) == ["runs/deep/er", "runs/moved"])
    }

    @Test func runsElsewhereAreFoundAgain() throws {
        try train("--output", "elsewhere/a")
        try FileManager.default.removeItem(at: directory.file("runs"))
        #expect(try list().isEmpty)
        let rebuilt = try PeoTool.run(["runs", "rebuild", "elsewhere"], in: directory)
        #expect(rebuilt.status == 0, "\(rebuilt.all)")
        #expect(try list().map(\.run) == ["elsewhere/a"])
        let absent = try PeoTool.run(["runs", "rebuild", "nowhere"], in: directory)
        #expect(absent.status == 66 && absent.stderr.contains("nowhere"), "\(absent.all)")
    }

    /// A run is listed as what it is while a process works on it, after Ctrl-C, and after a kill; at work it is not deleted.
    @Test func aRunAtWork() throws {
        let process = try startLongRun("runs/long")
        #expect(try list().map(\.status) == ["running"])
        let refused = try PeoTool.run(["runs", "delete", "--yes", "long"], in: directory)
        #expect(
            refused.status == 73 && refused.stderr.contains("a process works on this run"), "\(refused.all)")
        #expect(process.isRunning)
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        #expect(try list().map(\.status) == ["interrupted"])

        let resumed = try PeoTool.start(
            ["train", "--resume", "runs/long"], in: directory, stdout: directory.file("o"),
            stderr: directory.file("e"))
        while resumed.isRunning, try list().map(\.status) != ["running"] { usleep(20_000) }
        kill(resumed.processIdentifier, SIGKILL)
        resumed.waitUntilExit()
        #expect(try list().map(\.status) == ["killed"])
        let deleted = try PeoTool.run(["runs", "delete", "--yes", "long", "--json"], in: directory)
        #expect(deleted.json["deleted"] as? [String] == ["runs/long"], "\(deleted.all)")
        #expect(try directory.names().contains("runs"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.file("runs").path) == [
                "index.sqlite"
            ])
    }

    @Test func aDivergedRunSaysWhy() throws {
        let output = try PeoTool.run(
            [
                "train", "test.yaml", "--set", "rule.momentum.learningRate=1e30", "--set",
                "stability.skipNonFinite=false",
            ], in: directory)
        #expect(output.status == 75, "\(output.all)")
        #expect(try list().map(\.status) == ["diverged"])
        let shown = try PeoTool.run(["runs", "show", "runs/test"], in: directory)
        #expect(shown.stdout.hasPrefix("runs/test: diverged\nthe loss was"), "\(shown.all)")
    }

    /// Nothing but the run goes: not what a link in it points to, no link to it, nothing that only looks like a run.
    @Test func deletingStaysInside() throws {
        try train()
        let files = FileManager.default
        let outside = directory.file("outside")
        try files.createDirectory(at: outside, withIntermediateDirectories: true)
        try Data("keep me".utf8).write(to: outside.appendingPathComponent("file"))
        try files.createSymbolicLink(at: directory.file("runs/test/link"), withDestinationURL: outside)
        try files.createSymbolicLink(
            at: directory.file("runs/alias"), withDestinationURL: directory.file("runs/test"))
        let asked = try PeoTool.run(["runs", "delete", "test"], in: directory)
        #expect(asked.status == 64 && asked.stderr.contains("--yes"), "\(asked.all)")
        let link = try PeoTool.run(["runs", "delete", "--yes", "alias"], in: directory)
        #expect(link.status == 73 && link.stderr.contains("it is a link"), "\(link.all)")

        let project = directory.file("project")
        try files.createDirectory(
            at: project.appendingPathComponent("checkpoints"), withIntermediateDirectories: true)
        try Data("a: 1".utf8).write(to: project.appendingPathComponent("config.yaml"))
        for name in ["project", "outside", ".", "/"] {
            let other = try PeoTool.run(["runs", "delete", "--yes", name], in: directory)
            #expect(other.status == 66 && other.stderr.contains("no run is there"), "\(other.all)")
        }
        #expect(files.fileExists(atPath: directory.file("runs/test/result.json").path))
        let deleted = try PeoTool.run(["runs", "delete", "--yes", "runs/test"], in: directory)
        #expect(deleted.status == 0 && deleted.stdout == "deleted runs/test\n", "\(deleted.all)")
        #expect(!files.fileExists(atPath: directory.file("runs/test").path))
        #expect(
            try String(contentsOf: outside.appendingPathComponent("file"), encoding: .utf8) == "keep me")
        #expect(files.fileExists(atPath: project.appendingPathComponent("config.yaml").path))
    }

    @Test func filtersOrderComparisonAndExport() throws {
        try train("--set", "training.steps=60")
        try train("--set", "training.seed=9", "--set", "model={mlp: {hidden: [4, 4]}}")
        try train(
            "--set", "data=parity", "--set", "model={lstm: {hidden: 4}}", "--set", "training.batchSize=8")
        #expect(try list("--sort", "run").map(\.run) == ["runs/test", "runs/test-2", "runs/test-3"])
        #expect(
            try list("--data", "digits", "--sort", "accuracy").map(\.run) == ["runs/test", "runs/test-2"])
        #expect(
            try list("--model", "mlp", "--sort", "loss", "--reverse").map(\.run) == [
                "runs/test-2", "runs/test",
            ])
        #expect(try list("--status", "running").isEmpty)
        for (arguments, words) in [
            (["--sort", "acuracy"], "did you mean 'accuracy'?"), (["--status", "done"], "allowed: running"),
        ] {
            let refused = try PeoTool.run(["runs"] + arguments, in: directory)
            #expect(refused.status == 64 && refused.stderr.contains(words), "\(refused.all)")
        }

        let compared = try PeoTool.run(["runs", "compare", "test", "test-2", "--json"], in: directory).json
        let settings = try #require(compared["settings"] as? [String: [Any]])
        #expect(
            Set(settings.keys) == ["training.seed", "training.steps", "model.mlp.hidden"], "\(settings)")
        #expect(settings["model.mlp.hidden"] as? [String] == ["[16]", "[4, 4]"])
        #expect((compared["metrics"] as? [String: [Double]])?["steps"] == [60, 3])
        let unknown = try PeoTool.run(["runs", "compare", "test", "tets-2"], in: directory)
        #expect(unknown.status == 66 && unknown.stderr.contains("did you mean 'test-2'?"), "\(unknown.all)")

        let csv = try PeoTool.run(["runs", "export", "--sort", "run", "--output", "runs.csv"], in: directory)
        #expect(csv.status == 0 && csv.stdout.isEmpty, "\(csv.all)")
        let read = try ParityPython.run(
            "import csv, sys; r = list(csv.DictReader(open(sys.argv[1], newline=''))); "
                + "print(len(r), r[0]['run'], r[0]['config.training.steps'], r[1]['config.model.mlp.hidden'], r[2]['data'], "
                + "float(r[0]['accuracy']) > 0.2)", directory.file("runs.csv").path)
        #expect(read == "3 runs/test 60 [4, 4] parity True\n")
        let json = try PeoTool.run(["runs", "export", "--format", "json", "--sort", "run"], in: directory)
            .json
        let runs = try #require(json["runs"] as? [[String: Any]])
        #expect(runs.count == 3 && (runs[1]["settings"] as? [String: String])?["training.seed"] == "9")

        // Runs that lack the key come last, whichever way round.
        try train("--set", "training.validation={fraction: 0.2}")
        #expect(try list("--sort", "validation.loss").first?.run == "runs/test-4")
        #expect(try list("--sort", "validation.loss", "--reverse").first?.run == "runs/test-4")
    }

    @Test func cellsAreNotListed() throws {
        _ = try PeoTool.config(
            "config: test.yaml\narms: {a: {}, b: {perturbation: []}}\nseeds: 2", in: directory,
            name: "two.yaml")
        _ = try PeoTool.config(
            "config: test.yaml\nsearch: {rule.momentum.momentum: {linear: [0.1, 0.9]}}\ntrials: 2\n"
                + "confirm: {top: 1, seeds: 1}", in: directory, name: "search.yaml")
        for (command, name) in [("compare", "two"), ("tune", "search")] {
            let output = try PeoTool.run(
                [command, "\(name).yaml", "--output", "runs/\(name)"], in: directory)
            #expect(output.status == 0, "\(output.all)")
        }
        #expect(try list().isEmpty)
    }

    /// A full disk, or one that cannot be written, where the index is: the run does not mind.
    @Test(.enabled(if: SmallDisk.canMount, "mounting a tmpfs needs root")) func aFullDisk() throws {
        let disk = try #require(try SmallDisk(options: "size=64k"))
        let place = disk.mountPoint
        try Data(count: 56 << 10).write(to: place.appendingPathComponent("filling"))
        let environment = ["PEO_RUNS": place.path]
        let output = try train("--output", "here", environment: environment)
        let warnings = output.stderr.split(separator: "\n").filter { $0.contains("warning") }
        #expect(
            warnings.count == 1 && warnings[0].contains("index of runs") && warnings[0].contains("no space"),
            "\(output.all)")
        let whole = try train("--no-index", "--output", "there")
        #expect(!whole.stderr.contains("warning"), "\(whole.all)")
        try ResumeTests.expectSame(
            directory.file("here"), as: directory.file("there"), "after a full disk at the index")

        // A disk that turned read-only: its runs are read without the index.
        try FileManager.default.removeItem(at: place.appendingPathComponent("filling"))
        try #require(disk.remount("size=8m"))
        try train("--output", place.appendingPathComponent("run").path, environment: environment)
        try #require(disk.remount("ro"))
        let listed = try PeoTool.run(["runs", "--json"], in: directory, environment: environment)
        #expect((listed.json["runs"] as? [Any])?.count == 1, "\(listed.all)")
        #expect(listed.stderr.contains("reading the runs without it"), "\(listed.all)")
        let beside = try train(environment: environment)
        #expect(beside.stderr.contains("warning: the run is not in the index"), "\(beside.all)")
    }
}
