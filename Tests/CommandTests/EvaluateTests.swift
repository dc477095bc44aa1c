import Foundation
import TestSupport
import Testing

/// `peo evaluate`: runs measured as a user does it.
@Suite struct EvaluateTests {
    private static let quick = [
        "--attacked", "60", "--examples", "64", "--probes", "2", "--grid", "3", "--slice", "3",
    ]

    private static func train(
        _ directory: TemporaryDirectory, _ settings: [String: String] = [:], output: String = "run",
        config: String = PeoTool.smallConfig
    ) throws {
        let path = try PeoTool.config(config, in: directory)
        let trained = try PeoTool.run(
            ["train", path, "-o", output, "--json"]
                + settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] },
            in: directory)
        #expect(trained.status == 0, "\(trained.all)")
    }

    private static func evaluations(_ output: PeoTool.Output) throws -> [[String: Any]] {
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        return try #require(output.json["evaluations"] as? [[String: Any]], "\(output.all)")
    }

    private static func number(_ report: [String: Any], _ path: String...) -> Double? {
        path.dropLast().reduce(report as [String: Any]?) { $0?[$1] as? [String: Any] }?[path.last!] as? Double
    }

    private static func result(_ directory: TemporaryDirectory, _ run: String = "run") throws -> [String: Any]
    {
        let data = try Data(contentsOf: directory.file("\(run)/result.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    // MARK: What is measured

    @Test func aRunIsMeasuredAndKept() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory)
        let before = try contents(below: directory.file("run"))
        let output = try PeoTool.run(["evaluate", "run", "--json"] + Self.quick, in: directory)
        let report = try #require(try Self.evaluations(output).first)
        let test = try #require(try Self.result(directory)["test"] as? [String: Any])
        #expect(Self.number(report, "quality", "evaluation", "accuracy") == test["accuracy"] as? Double)
        #expect(
            abs(Self.number(report, "quality", "evaluation", "loss")! - (test["loss"] as? Double ?? 0)) < 1e-5
        )
        let robustness = try #require(report["robustness"] as? [String: Any])
        #expect(robustness["units"] as? String == "pixels")
        #expect(
            (robustness["attacks"] as? [Any])?.count == 6 && (robustness["damage"] as? [Any])?.count == 25)
        #expect(Self.number(robustness, "clean", "count") == 60)
        #expect(Self.number(report, "flatness", "examples") == 64)
        #expect(Self.number(report, "flatness", "topEigenvalue", "value") ?? -1 > 0, "\(output.all)")
        #expect(report["weights"] as? String == "final" && report["step"] as? Int == 40)

        // Beside the run's own files there is one more, which says the same and has no trace of an earlier one.
        var after = try contents(below: directory.file("run"))
        let file = after.removeValue(forKey: "evaluation.json")
        let kept = try JSONSerialization.jsonObject(with: #require(file))
        #expect(kept as? NSDictionary == report as NSDictionary)
        #expect(after == before)
        let again = try PeoTool.run(["evaluate", "run", "--json"] + Self.quick, in: directory)
        #expect(again.stdout == output.stdout, "the same command gave other numbers")
        let part = try PeoTool.run(["evaluate", "run", "--only", "quality"], in: directory)
        #expect(
            part.status == 0 && part.stdout.contains("ECE") && !part.stdout.contains("FGSM"), "\(part.all)")
        let rewritten = String(
            decoding: try Data(contentsOf: directory.file("run/evaluation.json")), as: UTF8.self)
        #expect(!rewritten.contains("robustness") && rewritten.contains("quality"))
    }

    @Test func runsStandSideBySide() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory)
        let file = "0,1,a\n1,0,b\n0.5,1,a\n1,0.2,b\n0.1,0.8,a\n0.9,0,b\n"
        try Data(("x,y,class\n" + file + file).utf8).write(to: directory.file("t.csv"))
        try Self.train(
            directory, output: "table",
            config: """
                model: {mlp: {hidden: [4]}}
                data: {csv: {train: t.csv, test: t.csv, label: class}}
                training: {steps: 20, batchSize: 4, threads: 1}
                rule: {sgd: {learningRate: 0.5}}
                """)
        let output = try PeoTool.run(
            ["evaluate", "run", "table", "--epsilon", "0.1", "--noise", "0.5"] + Self.quick, in: directory)
        #expect(output.status == 0, "\(output.all)")
        let lines = output.stdout.split(separator: "\n").map(String.init)
        func line(_ start: String) -> [String] {
            lines.first { $0.hasPrefix(start) }?.dropFirst(start.count).split(separator: " ").map(String.init)
                ?? []
        }
        #expect(line("run  ") == ["run", "table"], "\(output.all)")
        #expect(line("  FGSM, ε = 0.1").count == 2 && line("  noise, σ = 0.5").count == 2, "\(output.all)")
        // A table has no blur.
        #expect(line("  blur, severity 1…5").last == "–", "\(output.all)")
        #expect(FileManager.default.fileExists(atPath: directory.file("table/evaluation.json").path))
    }

    /// A run that is not finished is measured by its newest checkpoint; the others by name. With a mean of the weights it
    /// is the mean that is measured.
    @Test func weightsAreChosen() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory, ["training.average": "{ema: 0.9}"])
        func measured(_ arguments: String...) throws -> [String: Any] {
            try #require(
                try Self.evaluations(
                    try PeoTool.run(
                        ["evaluate", "run", "--only", "quality", "--json"] + arguments, in: directory)
                ).first)
        }
        let final = try measured()
        let test = try #require(try Self.result(directory)["test"] as? [String: Any])
        #expect(Self.number(final, "quality", "evaluation", "accuracy") == test["accuracy"] as? Double)
        let best = try measured("--weights", "best")
        #expect(best["weights"] as? String == "best" && best["step"] as? Int ?? 0 > 0)
        let train = try measured("--split", "train")
        #expect(Self.number(train, "quality", "evaluation", "count") == 1437)
        // As if it had been killed before its end, but after its last checkpoint.
        try FileManager.default.removeItem(at: directory.file("run/result.json"))
        let latest = try measured()
        #expect(latest["weights"] as? String == "latest" && latest["step"] as? Int == 40)
        #expect(latest["quality"] as? NSDictionary == final["quality"] as? NSDictionary)
        let refused = try PeoTool.run(["evaluate", "run", "--weights", "final"], in: directory)
        #expect(
            refused.status == 66 && refused.stderr.contains("not finished")
                && refused.stderr.contains("--resume"), "\(refused.all)")
        // The newest checkpoint is damaged: the one before is used, and that is said.
        let checkpoints = directory.file("run/checkpoints")
        let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints.path)
        let newest = try #require(names.first { $0.contains("40") }, "\(names)")
        try Self.damage(checkpoints.appendingPathComponent(newest))
        let older = try PeoTool.run(["evaluate", "run", "--only", "quality"], in: directory)
        #expect(
            older.status == 0 && older.stderr.contains("measured by the one of step 30")
                && older.stdout.contains("latest, step 30"), "\(older.all)")
    }

    private static func damage(_ url: URL) throws {
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
        guard !isDirectory.boolValue else {
            for name in try FileManager.default.contentsOfDirectory(atPath: url.path) {
                try damage(url.appendingPathComponent(name))
            }
            return
        }
        var data = try Data(contentsOf: url)
        data = data.prefix(data.count / 2)
        try data.write(to: url)
    }

    @Test func tokensHaveFlatnessAndNoAttacks() throws {
        let directory = try TemporaryDirectory()
        try Self.train(
            directory,
            config: """
                model: {gpt: {layers: 1, heads: 2, width: 8}}
                data: {modularAddition: {modulus: 17}}
                training: {steps: 5, batchSize: 16, threads: 1}
                rule: {sgd: {learningRate: 0.1}}
                """)
        let arguments = [
            "evaluate", "run", "--probes", "1", "--iterations", "3", "--grid", "0", "--slice", "0",
        ]
        let output = try PeoTool.run(arguments + ["--json"], in: directory)
        let report = try #require(try Self.evaluations(output).first)
        #expect(Self.number(report, "flatness", "examples") == 64 && report["robustness"] == nil)
        #expect(Self.number(report, "flatness", "trace", "value") != nil, "\(output.all)")
        #expect((report["notes"] as? [String])?.first?.contains("the inputs are tokens") == true)
        let refused = try PeoTool.run(arguments + ["--only", "robustness"], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("robustness does not apply"), "\(refused.all)")
    }

    @Test func wrongLabelsLearntByHeart() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory, ["training.labelNoise": "{rate: 0.4, redraw: once}"])
        let output = try PeoTool.run(
            ["evaluate", "run", "--only", "robustness", "--epsilon", "none", "--json"], in: directory)
        let robustness = try #require(try Self.evaluations(output).first?["robustness"] as? [String: Any])
        let memory = try #require(robustness["memorisation"] as? [String: Any], "\(output.all)")
        let (right, wrong) = (
            Self.number(memory, "rightlyLabelled", "count")!, Self.number(memory, "wronglyLabelled", "count")!
        )
        // A tenth of the labels that are drawn anew are right by chance.
        #expect(right + wrong == 1437 && abs(wrong - 0.36 * 1437) < 90, "\(output.all)")
        #expect((robustness["attacks"] as? [Any])?.isEmpty == true && robustness["clean"] == nil)
    }

    // MARK: What goes wrong

    @Test(
        arguments: [
            (["--only", "speed"], "--only is 'speed'; allowed: quality, robustness, flatness"),
            (["--weights", "worst"], "--weights is 'worst'; allowed: final, best, latest"),
            (["--split", "dev"], "--split is 'dev'; allowed: test, validation, train"),
            (["--epsilon=-0.1"], "--epsilon has '-0.1'; allowed: numbers ≥ 0, at most 1e6, or none"),
            (["--epsilon", "1e300"], "--epsilon has '1e300'"),
            (["--rho", "0.1,1e300"], "--rho has '1e300'; allowed: numbers > 0, at most 1e6"),
            (["--span", "1e300"], "--span is 1e+300; allowed: more than 0, at most 1e6"),
            (["--epsilon", "0.1,,0.2"], "--epsilon has ''"), (["--noise", "nan"], "--noise has 'nan'"),
            (["--rho", "0"], "--rho has '0'; allowed: numbers > 0"),
            (["--slice", "4"], "--slice is 4; allowed: 0, or an odd number from 3 to 1001"),
            (["--examples", "0"], "--examples is 0; allowed: 1 or more"),
            (["--tolerance", "1"], "--tolerance is 1.0; allowed: more than 0, less than 1"), ([], "run"),
        ] as [([String], String)])
    func wrongUsageIsNamed(arguments: [String], words: String) throws {
        let directory = try TemporaryDirectory()
        let runs = arguments.isEmpty ? [] : ["run"]
        let output = try PeoTool.run(["evaluate"] + runs + arguments + ["--json"], in: directory)
        let error = output.json["error"] as? [String: Any]
        #expect(
            output.status == 64 && (error?["message"] as? String)?.contains(words) == true, "\(output.all)")
    }

    @Test func badRunsAreNamed() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory)
        func refused(_ run: String, _ status: Int32, _ words: String..., with arguments: [String] = []) throws
        {
            let output = try PeoTool.run(["evaluate", run, "--only", "quality"] + arguments, in: directory)
            #expect(output.status == status && !output.wasSignalled && output.stdout.isEmpty, "\(output.all)")
            for word in words { #expect(output.stderr.contains(word), "\(word): \(output.all)") }
        }
        try refused("none", 66, "none", "no run is there")
        try refused("run", 66, "none", "no run is there", with: ["none"])
        try refused("test.yaml", 66, "test.yaml")
        // A directory of another kind.
        try FileManager.default.createDirectory(
            at: directory.file("comparison"), withIntermediateDirectories: false)
        try Data("arms: {}".utf8).write(to: directory.file("comparison/comparison.yaml"))
        try refused("comparison", 66, "no run is there (a run is a directory with a config.yaml)")
        try refused(
            "run", 65, "holds no validation data out", "allowed: test, train",
            with: ["--split", "validation"])
        // Something is in the way of the report: told after the work, and nothing else is there.
        let place = directory.file("run/evaluation.json")
        try FileManager.default.createDirectory(
            at: place.appendingPathComponent("full"), withIntermediateDirectories: true)
        let blocked = try PeoTool.run(["evaluate", "run", "--only", "quality"], in: directory)
        #expect((73...74).contains(blocked.status), "\(blocked.all)")
        #expect(blocked.stderr.contains("run/evaluation.json") && blocked.stdout.isEmpty, "\(blocked.all)")
        try FileManager.default.removeItem(at: place)

        let weights = directory.file("run/model.safetensors")
        let whole = try Data(contentsOf: weights)
        try whole.prefix(whole.count - 100).write(to: weights)
        try refused("run", 65, "model.safetensors")
        // Weights that are no numbers.
        var broken = whole
        broken.replaceSubrange(broken.count - 4..<broken.count, with: [0, 0, 0xC0, 0x7F])
        try broken.write(to: weights)
        for part in ["quality", "flatness", "robustness"] {
            let output = try PeoTool.run(["evaluate", "run", "--only", part], in: directory)
            #expect(output.status == 65 && output.stderr.contains("not finite"), "\(part): \(output.all)")
        }
        try FileManager.default.removeItem(at: weights)
        try refused("run", 66, "model.safetensors")
        #expect(!FileManager.default.fileExists(atPath: place.path))
    }

    @Test func dataThatAreGoneAreNamed() throws {
        let directory = try TemporaryDirectory()
        let file = "x,y,class\n" + String(repeating: "0,1,a\n1,0,b\n", count: 6)
        try Data(file.utf8).write(to: directory.file("t.csv"))
        try Self.train(
            directory,
            config: """
                model: {mlp: {hidden: [4]}}
                data: {csv: {train: t.csv, test: t.csv, label: class}}
                training: {steps: 2, batchSize: 4}
                rule: {sgd: {learningRate: 0.5}}
                """)
        try FileManager.default.removeItem(at: directory.file("t.csv"))
        let output = try PeoTool.run(["evaluate", "run"], in: directory)
        #expect(output.status == 66 && output.stderr.contains("t.csv"), "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("run/evaluation.json").path))
    }

    /// Ctrl-C ends any part soon, and leaves the run, and its last report, as they were.
    @Test(arguments: [
        (["--only", "quality,robustness", "--pgd-steps", "10000"], "FGSM, ε = 0.1"),
        (["--only", "flatness", "--grid", "1001"], "slice along a filter-normalised"),
        (["--only", "flatness", "--probes", "1000000"], "top eigenvalue"),
    ]) func controlCLeavesEverythingAsItWas(arguments: [String], mark: String) throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory)
        let before = try contents(below: directory.file("run"))
        let (out, err) = (directory.file("out"), directory.file("err"))
        let process = try PeoTool.start(
            ["evaluate", "run"] + arguments, in: directory, stdout: out, stderr: err)
        func said() throws -> String { String(decoding: try Data(contentsOf: err), as: UTF8.self) }
        while process.isRunning, !(try said().contains(mark)) { usleep(10_000) }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        let words = try said()
        #expect(process.terminationReason == .exit && process.terminationStatus == 75, "\(words)")
        #expect(words.contains("interrupted; nothing was changed"), "\(words)")
        #expect(try Data(contentsOf: out).isEmpty)
        #expect(try contents(below: directory.file("run")) == before)
    }
}
