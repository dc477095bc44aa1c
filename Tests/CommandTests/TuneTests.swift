import Foundation
import TestSupport
import Testing

/// `peo tune`: a search over settings.
@Suite struct TuneTests {
    private static let settings = """
        config: test.yaml
        search:
          rule.momentum.learningRate: {log: [0.001, 0.5]}
          training.batchSize: {choice: [16, 32]}
        metric: loss
        trials: 9
        confirm: {top: 2, seeds: 2}
        """

    private static func search(_ more: String = "", in directory: TemporaryDirectory) throws -> String {
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        return try PeoTool.config(settings + "\n" + more, in: directory, name: "find.yaml")
    }

    /// The report without what depends on the machine's speed.
    private static func timeless(_ report: [String: Any]) throws -> Data {
        var report = report
        report["finalists"] = (report["finalists"] as? [[String: Any]])?.map { finalist in
            var finalist = finalist
            finalist["outcomes"] = (finalist["outcomes"] as? [[String: Any]])?.map { outcome in
                (outcome["metrics"] as? [String: Any])?.filter { $0.key != "trainingSeconds" } ?? [:]
            }
            return finalist
        }
        return try JSONSerialization.data(withJSONObject: report, options: .sortedKeys)
    }

    /// Trials are halved, the best are confirmed beside the configuration as it is, and what is written runs.
    @Test func aSearchFindsAndWrites() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.search(in: directory)
        let output = try PeoTool.run(["tune", file, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let report = output.json
        let trials = report["trials"] as? [[String: Any]] ?? []
        #expect(trials.count == 9, "\(output.all)")
        let rungs = trials.map { ($0["values"] as? [Any])?.count ?? 0 }
        #expect(rungs.count { $0 >= 2 } >= 3 && rungs.count { $0 == 3 } >= 1, "\(rungs)")
        let finalists = report["finalists"] as? [[String: Any]] ?? []
        #expect(finalists.count == 3 && finalists[0]["trial"] == nil, "\(finalists)")
        let best = try #require(report["best"] as? Int)
        let means = finalists.compactMap { finalist in
            (finalist["mean"] as? Double).map { (finalist["trial"] as? Int, $0) }
        }
        #expect(means.filter { $0.0 != nil }.min { $0.1 < $1.1 }?.0 == best, "\(means)")
        // The learning rates are in their range, and several.
        let rates = trials.compactMap {
            ($0["settings"] as? [String: String])?["rule.momentum.learningRate"].flatMap(Double.init)
        }
        #expect(rates.allSatisfy { (0.001...0.5).contains($0) } && Set(rates).count == 9, "\(rates)")

        let chosen = (trials[best]["settings"] as? [String: String])?["rule.momentum.learningRate"] ?? "none"
        let written = try String(contentsOf: directory.file("searches/find/best.yaml"), encoding: .utf8)
        #expect(written.contains("learningRate: \(chosen)") && !written.contains("validation"), "\(written)")
        let run = try PeoTool.run(
            ["train", "searches/find/best.yaml", "--set", "training.steps=2"], in: directory)
        #expect(run.status == 0, "\(run.all)")
        let comparison = try String(contentsOf: directory.file("searches/find/compare.yaml"), encoding: .utf8)
        #expect(comparison.contains("tuned:") && comparison.contains(chosen), "\(comparison)")
        #expect(comparison.contains("metric: loss"), "\(comparison)")

        _ = try Self.search("parallel: 2  # as many as there are", in: directory)
        let again = try PeoTool.run(["tune", file], in: directory)
        #expect(again.status == 0 && again.stdout.contains("best: trial \(best)"), "\(again.all)")
        #expect(!again.stderr.contains("trained:"), "finished trials ran again: \(again.all)")
    }

    /// Where there are few values each combination is tried once, and the search ends when there are no others.
    @Test(arguments: ["random", "sobol", "tpe"])
    func nothingIsTriedTwice(method: String) throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let file = try PeoTool.config(
            """
            config: test.yaml
            search:
              rule.momentum.learningRate: {choice: [0.01, 0.1]}
              training.batchSize: {integer: [31, 33]}
            method: \(method)
            trials: 20
            halving: {rungs: 1}
            confirm: {top: 1, seeds: 1}
            """, in: directory, name: "few.yaml")
        let output = try PeoTool.run(["tune", file], in: directory)
        #expect(output.status == 0 && output.stderr.contains("after 6 of 20 trials"), "\(output.all)")
        let journal = try String(
            contentsOf: directory.file("searches/few/decisions.jsonl"), encoding: .utf8)
        #expect(journal.split(separator: "\n").count == 6, "\(journal)")
        let report = try PeoTool.run(["tune", file, "--json"], in: directory).json
        let settings = (report["trials"] as? [[String: Any]] ?? []).compactMap {
            $0["settings"] as? [String: String]
        }
        #expect(settings.count == 6 && Set(settings).count == 6, "\(settings)")
    }

    /// A search that is killed goes on with the same command; one run at a time gives the same search.
    @Test func aKilledSearchGoesOn() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.search("parallel: 1", in: directory)
        let whole = try PeoTool.run(["tune", file, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let fourth = directory.file("killed/trials/3")
        let killed = try PeoTool.run(["tune", file, "--output", "killed"], in: directory) { process in
            while process.isRunning, !FileManager.default.fileExists(atPath: fourth.path) { usleep(10_000) }
            kill(process.processIdentifier, SIGKILL)
        }
        #expect(killed.wasSignalled, "\(killed.all)")
        // As if the last decision had been cut short by the kill.
        let journal = directory.file("killed/decisions.jsonl")
        let kept = try Data(contentsOf: journal)
        try (kept + Data(#"{"rung":0,"tri"#.utf8)).write(to: journal)
        let resumed = try PeoTool.run(["tune", file, "--output", "killed", "--json"], in: directory)
        #expect(resumed.status == 0, "\(resumed.all)")
        var expected = whole.json
        expected["name"] = "killed"
        #expect(try Self.timeless(resumed.json) == Self.timeless(expected), "\(resumed.all)\n\(whole.all)")
    }

    /// A trial whose setting makes it diverge is out; the others go on.
    @Test func trialsMayDiverge() throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig + "\nstability: {skipNonFinite: false}", in: directory)
        let file = try PeoTool.config(
            """
            config: test.yaml
            search: {rule.momentum.learningRate: {choice: [0.05, 1e30]}}
            method: random
            trials: 6
            halving: {rungs: 1}
            confirm: {top: 1, seeds: 1}
            """, in: directory, name: "wild.yaml")
        let output = try PeoTool.run(["tune", file], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(output.stdout.contains("trials diverged or failed"), "\(output.all)")
        #expect(output.stdout.contains("best: trial"), "\(output.all)")
    }

    @Test(arguments: [
        ("search: {training.bachSize: {choice: [16, 32]}}", "bachSize"),
        ("search: {training.batchSize: {choice: [16, 0]}}", "with 0: training.batchSize: is 0"),
        ("search: {rule.momentum.learningRate: {log: [0, 1]}}", "allowed: more than 0"),
        ("search: {rule.momentum.learningRate: {log: [1, 0.1]}}", "the smaller first"),
        ("search: {rule.momentum.learningRate: {uniform: [0, 1]}}", "needs one of log"),
        ("search: {rule.momentum.learningRate: [0, 1]}", "rule.momentum.learningRate"),
        ("search: {training.batchSize: {integer: [0, 9223372036854775807]}}", "whole numbers from -2^53"),
        ("search: {training.batchSize: {integer: [-9223372036854775808, 1]}}", "whole numbers from -2^53"),
        ("search: {rule.momentum.learningRate: {linear: [-1e308, 1e308]}}", "difference is below 1.8e308"),
        ("search: {rule.momentum.learningRate: {log: [1e-300, 1e300]}}", "ratio is below 1.8e308"),
        (
            "search: {training.batchSize: {integer: [1, 2]}, training..batchSize: {integer: [3, 4]}}",
            "gives 'training.batchSize' values a second time"
        ),
        ("search: {training.batchSize: {choice: [16, 32]}}\nmetric: los", "did you mean 'loss'?"),
        ("search: {}", "1 to 32 settings"),
        ("search: {training.batchSize: {choice: [16, 32]}}\ntrials: 0", "allowed: 1 to 100000"),
        ("search: {training.batchSize: {choice: [16, 32]}}\nmethod: grid", "grid"),
        ("search: {training.batchSize: {choice: [16, 32]}}\nhalving: {factor: 1}", "allowed: 2 to 100"),
    ])
    func badSearchesAreRefused(_ settings: String, _ message: String) throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let file = try PeoTool.config("config: test.yaml\n" + settings, in: directory, name: "bad.yaml")
        let output = try PeoTool.run(["tune", file], in: directory)
        #expect(output.status == 65 && output.stderr.contains(message), "\(output.all)")
        #expect(output.stderr.contains("bad.yaml"), "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("searches").path))
    }

    /// Another search's directory is refused, and one at work.
    @Test func oneSearchADirectory() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.search("trials: 2\nhalving: {rungs: 1}", in: directory)
        let failed = try PeoTool.run(["tune", file], in: directory)
        #expect(failed.status == 65 && failed.stderr.contains("trials"), "a key given twice: \(failed.all)")
        try FileManager.default.createDirectory(
            at: directory.file("taken"), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: directory.file("taken/notes.txt"))
        let good = try Self.search(in: directory)
        let taken = try PeoTool.run(["tune", good, "--output", "taken"], in: directory)
        #expect(taken.status == 73 && taken.stderr.contains("is no search"), "\(taken.all)")
    }

    /// Noise that rises until it breaks: a picture, a range, and a search that runs.
    @Test func aNoiseRangeIsFound() throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let arguments = ["tune", "test.yaml", "--find-sigma", "--steps", "100"]
        let short = try PeoTool.run(arguments, in: directory)
        // The configuration has 40 steps, and the runs no more than it.
        #expect(short.status == 0, "\(short.all)")
        let config = PeoTool.smallConfig.replacing("steps: 40", with: "steps: 400")
        _ = try PeoTool.config(config, in: directory, name: "longer.yaml")
        let output = try PeoTool.run(
            ["tune", "longer.yaml", "--find-sigma", "--to", "1e4", "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let range = output.json["range"] as? [String: Any] ?? [:]
        let broken = try #require(range["broken"] as? Double, "\(output.all)")
        let felt = try #require(range["felt"] as? Double, "\(output.all)")
        #expect(felt <= broken && broken < 1e4 && felt > 1e-3, "\(felt) \(broken)")
        let picture = try String(
            contentsOf: directory.file("searches/longer-sigma/noise-range.svg"), encoding: .utf8)
        #expect(picture.hasPrefix("<svg") && !picture.contains("nan"), "\(picture.prefix(400))")
        let search = try PeoTool.run(
            ["tune", "searches/longer-sigma/tune.yaml", "--output", "next"], in: directory
        ) { process in
            while process.isRunning,
                !FileManager.default.fileExists(atPath: directory.file("next/trials/0").path)
            {
                usleep(20_000)
            }
            kill(process.processIdentifier, SIGINT)
        }
        #expect(search.status == 75 && search.stderr.contains("The same command goes on"), "\(search.all)")
        let wrong = try PeoTool.run(["tune", "test.yaml", "--find-sigma", "--from=-1"], in: directory)
        #expect(wrong.status == 64 && wrong.stderr.contains("--from is -1"), "\(wrong.all)")
        let alone = try PeoTool.run(["tune", "test.yaml", "--to", "2"], in: directory)
        #expect(alone.status == 64 && alone.stderr.contains("go with --find-sigma"), "\(alone.all)")
    }
}
