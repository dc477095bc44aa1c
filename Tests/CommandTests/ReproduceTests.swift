import Foundation
import TestSupport
import Testing

/// `peo reproduce`: published experiments, judged.
@Suite struct ReproduceTests {
    /// No data but what is built in, and no way to fetch any.
    private static let offline = Dictionary(
        uniqueKeysWithValues: ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"].map {
            ($0, "http://127.0.0.1:9")
        })

    private static func checks(_ report: [String: Any]) -> [[String: Any]] {
        report["checks"] as? [[String: Any]] ?? []
    }

    private static func values(_ report: [String: Any]) -> [String: [Double]] {
        (report["arms"] as? [[String: Any]] ?? []).reduce(into: [:]) { values, arm in
            for measure in arm["measures"] as? [[String: Any]] ?? [] {
                values["\(arm["name"] ?? ""), \(measure["quantity"] ?? "")"] = measure["values"] as? [Double]
            }
        }
    }

    @Test func experimentsAreListed() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["reproduce"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let ids = [
            "label-noise", "octopus", "valley", "deep-mnist", "noisy-labels", "small-data", "char-gpt",
            "negative-controls", "nchain", "pendulum", "uci",
        ]
        for id in ids { #expect(output.stdout.contains("\n\(id)  (about") || output.stdout.hasPrefix(id)) }
        let json = try PeoTool.run(["reproduce", "--json"], in: directory)
        let entries = try JSONSerialization.jsonObject(with: Data(json.stdout.utf8)) as? [[String: Any]] ?? []
        let listed = entries.compactMap { $0["id"] as? String }
        #expect(Set(ids).isSubset(of: listed) && Set(listed).count == listed.count, "\(listed)")
        for entry in entries {
            for key in ["claim", "source", "title"] { #expect((entry[key] as? String)?.isEmpty == false) }
            #expect((entry["seconds"] as? Double ?? 0) > 0 && (entry["quickSeconds"] as? Double ?? 60) <= 20)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("reproductions").path))
    }

    @Test(arguments: [
        (["reproduce", "octopuss"], "there is no experiment 'octopuss'; did you mean 'octopus'? (allowed: "),
        (["reproduce", "octopus", "--all"], "give an <id>, or --all"),
        (["reproduce", "--quick"], "Missing expected argument '<id>' (or --all)"),
    ])
    func wrongUsageIsNamed(arguments: [String], words: String) throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(arguments, in: directory)
        #expect(output.status == 64 && output.stderr.contains(words), "\(output.all)")
        let json = try PeoTool.run(arguments + ["--json"], in: directory)
        let error = json.json["error"] as? [String: Any]
        #expect(json.status == 64 && (error?["message"] as? String)?.contains(words) == true, "\(json.all)")
    }

    /// A small table without any file: every arm with both its measures, and the same numbers again.
    @Test func regressionsOfAPosterior() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["reproduce", "uci", "--quick", "--json"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let values = Self.values(output.json)
        #expect(
            values.keys.sorted()
                == ["ensemble", "point", "sghmc", "swag"].flatMap { arm in
                    ["RMSE", "log likelihood"].map { "friedman \(arm), test \($0)" }
                })
        let checks = Self.checks(output.json)
        #expect(checks.count == 4 && checks.allSatisfy { $0["passed"] as? Bool == true }, "\(output.all)")
        let again = try PeoTool.run(["reproduce", "uci", "--quick", "--json"], in: directory)
        #expect(Self.values(again.json) == values)
    }

    /// The problems without a network meet their criteria, say the same in JSON, file and text, and the same again.
    @Test(arguments: ["label-noise", "octopus", "valley", "nchain"])
    func smallProblemsAreReproduced(id: String) throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["reproduce", id, "--quick", "--json"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let report = output.json
        #expect(report["id"] as? String == id && report["scale"] as? String == "quick")
        let checks = Self.checks(report)
        #expect(report["passed"] as? Bool == true, "\(output.all)")
        #expect(!checks.isEmpty && checks.allSatisfy { $0["passed"] as? Bool == true }, "\(output.all)")
        if id != "octopus" {
            #expect(checks.contains { $0["isNegativeControl"] as? Bool == true }, "\(output.all)")
        }
        let values = Self.values(report)
        #expect(!values.isEmpty && values.values.allSatisfy { $0.count > 1 }, "\(values)")
        let charts = report["charts"] as? [[String: Any]] ?? []
        let lines = charts.flatMap { $0["lines"] as? [[String: Any]] ?? [] }
        #expect(lines.count > 1, "\(charts)")
        for line in lines {
            let lengths = ["x", "mean", "lower", "upper"].map { (line[$0] as? [Double])?.count ?? -1 }
            #expect(lengths.allSatisfy { $0 == lengths[0] && $0 > 1 }, "\(lengths)")
        }

        let file = directory.file("reproductions/quick/\(id)/reproduction.json")
        let kept = try JSONSerialization.jsonObject(with: try Data(contentsOf: file)) as? [String: Any] ?? [:]
        #expect(Self.values(kept) == values)
        let text = try PeoTool.run(["reproduce", id, "--quick", "--output", "again"], in: directory)
        #expect(text.status == 0 && text.stdout.contains("Reproduced: \(checks.count) of \(checks.count)"))
        let second = directory.file("again/quick/\(id)/reproduction.json")
        let again = try JSONSerialization.jsonObject(with: try Data(contentsOf: second)) as? [String: Any]
        #expect(Self.values(again ?? [:]) == values, "the same command gave other numbers")
    }

    /// An experiment whose arms are agents: its criteria, and a curve of each arm's training.
    @Test func agentsAreReproduced() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["reproduce", "pendulum", "--quick", "--json"], in: directory)
        #expect(output.status == 0 && output.json["passed"] as? Bool == true, "\(output.all)")
        #expect(
            Self.checks(output.json).contains { $0["isNegativeControl"] as? Bool == true }, "\(output.all)")
        #expect(Self.values(output.json).values.map(\.count) == [2, 2, 2], "\(output.all)")
        let chart = (output.json["charts"] as? [[String: Any]])?.first ?? [:]
        let lines = chart["lines"] as? [[String: Any]] ?? []
        #expect(lines.count == 3 && lines.allSatisfy { ($0["x"] as? [Double])?.count ?? 0 > 20 }, "\(chart)")
    }

    /// Killed, an experiment goes on without the runs that are done; a criterion that is not met shows in the exit code; and
    /// a run that failed is named and meets no criterion.
    @Test func experimentsGoOnAndAreJudged() throws {
        let directory = try TemporaryDirectory()
        let arguments = ["reproduce", "negative-controls", "--quick"]
        let cells = "reproductions/quick/negative-controls/comparison/cells"
        let first = directory.file("\(cells)/none/seed-1.json")
        let killed = try PeoTool.run(arguments, in: directory) { process in
            while process.isRunning, !FileManager.default.fileExists(atPath: first.path) { usleep(20_000) }
            kill(process.processIdentifier, SIGKILL)
        }
        #expect(killed.wasSignalled, "\(killed.all)")
        let report = directory.file("reproductions/quick/negative-controls/reproduction.json")
        #expect(!FileManager.default.fileExists(atPath: report.path))
        let resumed = try PeoTool.run(arguments, in: directory)
        #expect(resumed.status == 0, "\(resumed.all)")
        #expect(!resumed.stderr.contains("none, seed 1:"), "a finished run ran again: \(resumed.all)")
        #expect(resumed.stdout.contains("pass  negative control: constant noise"), "\(resumed.all)")
        #expect(resumed.stdout.contains("Reproduced: 2 of 2 criteria are met"), "\(resumed.all)")

        func replace(_ outcome: String) throws {
            for seed in 1...2 {
                try Data(outcome.utf8).write(to: directory.file("\(cells)/constant/seed-\(seed).json"))
            }
        }
        try replace(#"{"status":"completed","metrics":{"loss":0.01,"accuracy":1}}"#)
        let unmet = try PeoTool.run(arguments, in: directory)
        #expect(unmet.status == 1, "\(unmet.all)")
        #expect(unmet.stdout.contains("FAIL  negative control: constant noise"), "\(unmet.all)")
        #expect(unmet.stdout.contains("NOT reproduced: 1 of 2 criteria are met"), "\(unmet.all)")
        let json = try PeoTool.run(arguments + ["--json"], in: directory)
        #expect(json.status == 1 && json.json["passed"] as? Bool == false, "\(json.all)")
        #expect(Self.checks(json.json).contains { $0["passed"] as? Bool == false }, "\(json.all)")

        try replace(#"{"status":"diverged","metrics":{},"message":"the loss was not finite"}"#)
        let failed = try PeoTool.run(arguments, in: directory)
        #expect(failed.status == 1, "\(failed.all)")
        #expect(failed.stdout.contains("constant: seed 1 diverged: the loss was not finite"), "\(failed.all)")
        #expect(failed.stdout.contains("measured: not every seed was trained to its end"), "\(failed.all)")
    }

    @Test func missingDataAreSaid() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(
            ["reproduce", "char-gpt", "--quick"], in: directory, environment: Self.offline)
        #expect(output.status == 66, "\(output.all)")
        #expect(
            output.stderr.contains("data set 'tinyshakespeare' needs") && output.stderr.contains("PEO_DATA"),
            "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("reproductions").path))
    }

    /// A file is in the way of the directory.
    @Test func aPlaceThatCannotBeMadeIsNamed() throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: directory.file("taken"))
        let output = try PeoTool.run(
            ["reproduce", "valley", "--quick", "--output", "taken"], in: directory)
        #expect(output.status == 73 && output.stderr.contains("taken/quick/valley"), "\(output.all)")
    }
}
