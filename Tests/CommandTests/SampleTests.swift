import Foundation
import Safetensors
import TestSupport
import Testing

/// Posteriors through the tool.
@Suite(.serialized) struct SampleTests {
    static let small = """
        model: {mlp: {hidden: [8]}}
        data: digits
        prior: {gaussian: {deviation: 0.5}}
        sampling: {chains: 3, steps: 400, burnIn: 100, thin: 5, batchSize: 32, seed: 3, logEvery: 50, checkpointEvery: 90}
        rule: {sghmc: {learningRate: 1e-6, friction: 0.1}}
        """

    /// With everything that could make a resume inexact: a velocity and a thermostat, a cycle, dropout, noise.
    static let intricate = """
        model: {mlp: {hidden: [24, 16], dropout: 0.1}}
        data: digits
        prior: {horseshoe: {scale: 0.5, spike: 0.1}}
        sampling:
          chains: 5
          steps: 6000
          burnIn: 777
          thin: 7
          batchSize: 16
          seed: 9
          cycle: {length: 500, exploration: 0.4}
          logEvery: 130
          checkpointEvery: 170
        rule: {sgnht: {learningRate: 3e-7, friction: 0.05}}
        perturbation:
          - gaussian: {sigma: 0.001}
        """

    @Test func aRunLeavesWhatRunsLeave() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(["sample", config, "--json"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any])
        #expect(result["chains"] as? Int == 3 && result["draws"] as? Int == 60)
        let functions = try #require(result["functions"] as? [[String: Any]])
        #expect(
            functions.map { $0["name"] as? String } == ["energy", "norm"] + (0..<10).map { "probe[\($0)]" })
        let run = directory.file("runs/test")
        for name in [
            "config.yaml", "run.json", "metrics.jsonl", "result.json", "samples/part-000000.safetensors",
        ] {
            #expect(FileManager.default.fileExists(atPath: run.appendingPathComponent(name).path), "\(name)")
        }
        let part = try SafetensorsFile(
            contentsOf: run.appendingPathComponent("samples/part-000000.safetensors"))
        #expect(try part.tensor("1.weight").shape == [3, 4, 8, 64])
        #expect(try part.tensor("function/energy", type: .float64).shape == [3, 4])
        #expect(try part.tensor("step", type: .int64).integers() == [105, 110, 115, 120])

        let again = try PeoTool.run(["sample", "--resume", "runs/test", "--json"], in: directory)
        #expect(again.status == 0 && again.stdout == output.stdout, "\(again.all)")
        let listed = try PeoTool.run(["runs"], in: directory)
        #expect(listed.stdout.contains("runs/test") && listed.stdout.contains("completed"), "\(listed.all)")
        let text = try PeoTool.run(["sample", config, "--output", "text"], in: directory)
        #expect(text.status == 0 && text.stdout.contains("60 of each chain"), "\(text.all)")
        // So short a run is not to be trusted, and says so.
        #expect(text.stdout.contains("warning: energy: "), "\(text.all)")
    }

    /// What a run left that neither its place nor its pace may change.
    static func outcome(of run: URL) throws -> [String: Data] {
        var files = try ResumeTests.outcome(of: run)
        var result =
            try JSONSerialization.jsonObject(with: files["result.json"] ?? Data()) as? [String: Any] ?? [:]
        result["drawsPerSecond"] = nil
        files["result.json"] = try JSONSerialization.data(withJSONObject: result, options: .sortedKeys)
        files["config.yaml"] = nil
        return files
    }

    /// The draws do not depend on how many chains move at once, nor on kills.
    @Test func killedAndResumedWithTheSameBits() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.intricate, in: directory)
        let started = ContinuousClock.now
        let whole = try PeoTool.run(["sample", config, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let duration = (ContinuousClock.now - started) / .seconds(1)
        let kills = try ResumeTests.killAndResume(
            config, as: "killed", taking: duration, in: directory, &random, command: "sample")
        print("SampleTests: \(kills) kills, PEO_TEST_SEED=\(random.seed)")
        let wanted = try Self.outcome(of: directory.file("whole"))
        func expectSame(_ name: String) throws {
            let found = try Self.outcome(of: directory.file(name))
            #expect(found.keys.sorted() == wanted.keys.sorted(), "PEO_TEST_SEED=\(random.seed)")
            for (file, data) in wanted {
                #expect(found[file] == data, "\(name): \(file) differs, PEO_TEST_SEED=\(random.seed)")
            }
        }
        try expectSame("killed")
        let serial = try PeoTool.run(
            ["sample", config, "--output", "serial", "--set", "sampling.threads=1", "--json"], in: directory)
        #expect(serial.status == 0, "\(serial.all)")
        try expectSame("serial")
    }

    @Test func aStepSizeThatExplodesStopsWithTheDrawsKept() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(
            [
                "sample", config, "--set", "rule={sgld: {learningRate: 0.5}}", "--set", "sampling.burnIn=0",
                "--set",
                "sampling.thin=1", "--output", "run",
            ], in: directory)
        #expect(output.status == 75 && !output.wasSignalled, "\(output.all)")
        #expect(output.stdout.isEmpty && output.stderr.contains(" exploded: at step "), "\(output.all)")
        #expect(output.stderr.contains("try a learning rate of 0.05"), "\(output.all)")
        #expect(output.stderr.contains("Draws, if there were any, are in run/samples"), "\(output.all)")
        let listed = try PeoTool.run(["runs"], in: directory)
        #expect(listed.stdout.contains("diverged"), "\(listed.all)")
        let json = try PeoTool.run(
            ["sample", config, "--set", "rule={sgld: {learningRate: 0.5}}", "--output", "second", "--json"],
            in: directory)
        let error = json.json["error"] as? [String: Any]
        #expect(json.status == 75 && error?["code"] as? String == "training.diverged", "\(json.all)")
    }

    /// Commands for runs that train say what to call instead, before they do anything.
    @Test func commandsForTrainingSendItBack() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        #expect(try PeoTool.run(["sample", config, "--output", "run"], in: directory).status == 0)
        let resumed = try PeoTool.run(["train", "--resume", "run"], in: directory)
        #expect(
            resumed.status == 64 && resumed.stderr.contains("go on with: peo sample --resume run"),
            "\(resumed.all)")
        try Data("config: \(config)\nsearch: {rule.sghmc.learningRate: {log: [1e-6, 1e-4]}}\n".utf8)
            .write(to: directory.file("tune.yaml"))
        let tuned = try PeoTool.run(["tune", "tune.yaml"], in: directory)
        #expect(
            tuned.status == 65 && tuned.stderr.contains("peo tune is for what is trained"), "\(tuned.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("searches").path))
        try Data(
            "config: \(config)\narms: {a: {choose: {rule.sghmc.friction: [0.1, 0.2]}}, b: {}}\nseeds: [1, 2]\n"
                .utf8
        ).write(to: directory.file("compare.yaml"))
        let compared = try PeoTool.run(["compare", "compare.yaml"], in: directory)
        #expect(
            compared.status == 65 && compared.stderr.contains("peo compare is for what is trained"),
            "\(compared.all)")
    }

    @Test func whatIsNoPosteriorIsRefused() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        try Data(String(repeating: "abcd efgh ", count: 50).utf8).write(to: directory.file("words.txt"))
        for (settings, message) in [
            (["prior=flat"], "prior: is flat, which is improper"),
            (["prior.gaussian.deviation=0"], "deviation: is 0.0; allowed: a finite number > 0"),
            (
                ["prior.gaussian.deviation=1e-200"],
                "prior.gaussian.deviation: is 1e-200; allowed: 1e-154 to 1e154"
            ),
            (
                ["likelihood={gaussian: {deviation: 1e-300}}"],
                "likelihood.gaussian.deviation: is 1e-300; allowed: 1e-154 to 1e154"
            ),
            (
                ["likelihood={gaussian: {deviation: 0}}"],
                "likelihood.gaussian.deviation: is 0.0; allowed: a finite number > 0"
            ),
            (["prior={gauss: {deviation: 1}}"], "did you mean \"gaussian\"?"),
            (
                ["rule={adam: {learningRate: 0.001}}"],
                "rule: is adam, which goes to a mode and does not sample"
            ),
            (
                ["stability={clipGlobalNorm: 1}"],
                "stability.clipGlobalNorm: is set, and where it binds the chain samples another density"
            ),
            (["perturbation=[{gradientCovariance: {}}]"], "which a chain does not give"),
            (
                ["controllers=[{parameterDistance: {scales: learningRate, target: 0.01, of: step}}]"],
                "controllers: has parameterDistance, which follows the chain's own path"
            ),
            (["rule.sghmc.dataSize=5"], "the posterior has 1437 examples"),
            (["rule.sghmc.weightDecay=0.1"], "a Gaussian prior is said by the prior"),
            (
                ["likelihood={gaussian: {deviation: 1}}"],
                "likelihood: is gaussian, and the data's targets are classes"
            ),
            (
                ["model.mlp.batchNorm=true"],
                "model.mlp: has buffers (2.running_mean, …), as batch normalisation"
            ),
            (
                ["sampling.burnIn=400"],
                "burnIn: is 400, with 400 steps and thin 5; allowed: what leaves a draw"
            ),
            (["sampling.batchSize=100000"], "sampling.batchSize: is 100000; allowed: 1 to 1437"),
            (["sampling.chians=3"], "chians"),
            (["training={epochs: 1}"], "has 'training' beside 'sampling'"),
            (
                [
                    "data={text: {file: words.txt, length: 8}}",
                    "model={gpt: {layers: 1, heads: 1, width: 8}}",
                ],
                "data: are tokens of overlapping windows"
            ),
        ] {
            let output = try PeoTool.run(
                ["sample", config, "--output", "run"] + settings.flatMap { ["--set", $0] }, in: directory)
            #expect(output.status == 65 && output.stderr.contains(message), "\(settings): \(output.all)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("run").path))
        }
        let other = try PeoTool.config(PeoTool.smallConfig, in: directory, name: "train.yaml")
        let training = try PeoTool.run(["sample", other], in: directory)
        #expect(training.status == 65 && training.stderr.contains("has no 'sampling'"), "\(training.all)")
        let sampling = try PeoTool.run(["train", config], in: directory)
        #expect(sampling.status == 64 && sampling.stderr.contains("peo sample test.yaml"), "\(sampling.all)")
    }

    @Test func theReportShowsTheChains() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(["sample", config, "--output", "run", "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let report = try PeoTool.run(["report", "run"], in: directory)
        guard report.status == 0 else {
            // Plotly may not be there; the tests of reports insist on it.
            #expect(report.stderr.contains("Plotly"), "\(report.all)")
            return
        }
        let html = try String(contentsOf: directory.file("run/report.html"), encoding: .utf8)
        for title in ["Traces", "Autocorrelation", "Marginals", "Not to be trusted yet", "probe[9]"] {
            #expect(html.contains(title), "\(title)")
        }
    }
}
