import Foundation
import TestSupport
import Testing

/// What a run prints, and what it leaves behind.
@Suite struct TrainTests {
    @Test func digitsReach97PercentWithinAMinuteOfTraining() throws {
        let directory = try TemporaryDirectory()
        let example = PeoTool.root.appendingPathComponent("Examples/digits-cnn.yaml").path
        let output = try PeoTool.run(["train", example, "--json"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        let test = try #require(result["test"] as? [String: Any])
        let accuracy = try #require(test["accuracy"] as? Double)
        let seconds = try #require(result["trainingSeconds"] as? Double)
        print("digits-cnn.yaml: test accuracy \(accuracy) after \(seconds) s of training")
        #expect(accuracy >= 0.97)
        #expect(seconds < 60)
        let names = try FileManager.default.contentsOfDirectory(
            atPath: directory.file("runs/digits-cnn").path)
        for name in [
            "config.yaml", "run.json", "metrics.jsonl", "checkpoints", "model.safetensors", "result.json",
        ] {
            #expect(names.contains(name), "\(names)")
        }
    }

    /// Standard output is one JSON object; every line of the log is one, with the documented values.
    @Test func jsonAndMetrics() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let output = try PeoTool.run(["train", config, "--json", "--set", "training.seed=9"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        #expect(output.stdout.split(separator: "\n").count == 1)
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        #expect(result["seed"] as? Int == 9 && result["steps"] as? Int == 40)
        let stability = try #require(result["stability"] as? [String: Any])
        #expect((stability["counts"] as? [String: Any])?["steps"] as? Int == 40)
        let lines = try String(contentsOf: directory.file("runs/test/metrics.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        var steps: [Int] = []
        for line in lines {
            let record = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let kind = try #require(record["kind"] as? String)
            if kind == "train" {
                steps.append(try #require(record["step"] as? Int))
                for name in ["loss", "accuracy", "learningRate", "sigma", "gradientNorm", "perturbationNorm"]
                {
                    #expect(record[name] is Double, "\(name) is missing: \(line)")
                }
            } else {
                #expect(kind == "test" && record["accuracy"] is Double, "\(line)")
            }
        }
        #expect(steps == [10, 20, 30, 40])
    }

    @Test func plainLinesWithoutATerminal() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(!output.stderr.contains("\u{1B}") && !output.stderr.contains("\r"), "\(output.all)")
        #expect(output.stderr.contains("step 40/40: test loss"), "\(output.all)")
        #expect(output.stdout.contains("runs/test") && output.stdout.contains("accuracy"), "\(output.all)")
        #expect(output.stdout.contains("stability  never stepped in"), "\(output.all)")
    }

    /// Closed loops and guards by configuration: what they did is said during the run and at its end.
    @Test func controllersAreReported() throws {
        let directory = try TemporaryDirectory()
        let yaml =
            PeoTool.smallConfig + """

                stability: {clipGlobalNorm: 1e-4, trustRegion: {ratio: 1e-3}}
                controllers:
                  - targetNoiseRatio: {target: 0.01, every: 5}
                  - plateau: {scales: learningRate, window: 5, patience: 0}
                """
        let output = try PeoTool.run(["train", PeoTool.config(yaml, in: directory)], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(output.stdout.contains("40 steps clipped"), "\(output.all)")
        for text in [output.stdout, output.stderr] {
            #expect(text.contains("targetNoiseRatio: sigma × "), "\(output.all)")
        }
        let bad = try PeoTool.run(
            ["train", "test.yaml", "--set", "controllers.0.targetNoiseRatio.evry=3"], in: directory)
        #expect(bad.status == 65 && bad.stderr.contains("every"), "\(bad.all)")
    }

    /// A learning rate that ruins the parameters: the run stops by itself, says so, and exits with 75.
    @Test(arguments: ["", "stability: {rollbackOnSpike: {attempts: 2, minimumHistory: 2, snapshotEvery: 1}}"])
    func divergenceStopsTheRun(stability: String) throws {
        let directory = try TemporaryDirectory()
        let yaml =
            PeoTool.smallConfig.replacingOccurrences(of: "0.05", with: "1e30")
            .replacingOccurrences(of: "steps: 40", with: "steps: 400") + "\n" + stability
        let config = try PeoTool.config(yaml, in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 75 && !output.wasSignalled && output.stderr.isEmpty, "\(output.all)")
        let error = try #require(output.json["error"] as? [String: Any], "\(output.all)")
        #expect(error["code"] as? String == "training.diverged", "\(output.all)")
        #expect((error["message"] as? String)?.contains("ower the learning rate") == true, "\(output.all)")
    }

    @Test func earlyStopEndsTheRun() throws {
        let directory = try TemporaryDirectory()
        // A learning rate of 0 never improves.
        let yaml = PeoTool.smallConfig.replacingOccurrences(of: "0.05", with: "0")
            .replacingOccurrences(of: "steps: 40", with: "epochs: 9, earlyStop: {patience: 2}")
        let output = try PeoTool.run(["train", PeoTool.config(yaml, in: directory), "--json"], in: directory)
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        #expect(
            result["status"] as? String == "stoppedEarly" && result["epochs"] as? Int == 3, "\(output.all)")
    }

    /// Groups: biases with a learning rate of 0 stay as they were initialised.
    @Test func groupsHaveTheirOwnRule() throws {
        let directory = try TemporaryDirectory()
        let yaml =
            PeoTool.smallConfig + """

                groups:
                  - parameters: ["*"]
                    rule: {sgd: {learningRate: 0}}
                    perturbation: []
                """
        let output = try PeoTool.run(["train", PeoTool.config(yaml, in: directory), "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let other = try PeoTool.run(
            ["train", "test.yaml", "--json", "--set", "training.steps=1"], in: directory)
        #expect(other.status == 0, "\(other.all)")
        let weights = try ["runs/test", "runs/test-2"].map {
            try Data(contentsOf: directory.file($0 + "/model.safetensors"))
        }
        #expect(weights[0] == weights[1])
    }
}
