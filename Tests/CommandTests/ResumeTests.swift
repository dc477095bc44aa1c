import Foundation
import TestSupport
import Testing

/// A run that is killed, again and again, and resumed ends with the same bits as one that is left alone.
@Suite(.serialized) struct ResumeTests {
    /// A run with everything that could make a resume inexact: dropout, batch normalisation, momentum terms,
    /// noise on gradients, inputs, labels and weights, schedules, clipping, bounds, the spike guard's snapshots, accumulation, early stop's count.
    static func config(_ rule: String, model: String, evaluating: String? = nil) -> String {
        """
        model: \(model)
        data: digits
        training:
          epochs: 4
          batchSize: 16
          seed: 7
          threads: 1
          accumulate: 2
          checkpointEvery: {steps: 23}
          evaluateEvery: {steps: 70}
          validation: {fraction: 0.2}
          earlyStop: {metric: loss, patience: 100}
          labelSmoothing: 0.1
          inputNoise: {sigma: {linear: {from: 0.3, to: 0}}}
          labelNoise: {rate: 0.1}
        rule: \(rule)
        perturbation:
          - gaussian: {sigma: {inversePower: {from: 0.05, exponent: 0.55}}}
          - dropNoise: {probability: 0.1}
          - weightPenalty: {l2: 1e-4}
        stability:
          clipGlobalNorm: 1.0
          perturbationToGradient: 0.5
          rollbackOnSpike: {deviations: 3, window: 30, minimumHistory: 10, snapshotEvery: 20, attempts: 100}
        """ + (evaluating.map { "\nparameterPerturbation: \($0)" } ?? "")
    }

    static let cases = [
        config(
            "{adam: {learningRate: {cosine: {from: 3e-3, to: 0, warmup: 50}}}}",
            model:
                "{mlp: {hidden: [64, 32], dropout: 0.2, batchNorm: true, noisySigma: 0.5, conditioned: true}}"
        ),
        config(
            "{momentum: {learningRate: {cosine: {from: 0.05, to: 0}}, momentum: 0.9}}",
            model: "{cnn: {channels: [4, 8], hidden: 16, dropout: 0.1, batchNorm: true}}"),
        // Several evaluations a step, with a direction that is kept over steps.
        config(
            "{adam: {learningRate: 3e-3}}", model: "{mlp: {hidden: [32], dropout: 0.2, batchNorm: true}}",
            evaluating: "{lookSAM: {rho: 0.05, every: 4}}"),
    ]

    /// The files of a run that must not depend on how often it was interrupted.
    static func outcome(of run: URL) throws -> [String: Data] {
        var files = try contents(below: run)
        files["run.json"] = nil
        files[".lock"] = nil
        for name in files.keys where name.contains("tfevents") { files[name] = nil }
        // Times and speed are the only parts of the result that may differ.
        var result =
            try JSONSerialization.jsonObject(with: files["result.json"] ?? Data()) as? [String: Any] ?? [:]
        result["trainingSeconds"] = nil
        result["stepsPerSecond"] = nil
        result["name"] = nil
        files["result.json"] = try JSONSerialization.data(withJSONObject: result, options: .sortedKeys)
        return files
    }

    static func expectSame(_ run: URL, as reference: URL, _ comment: String) throws {
        let (found, wanted) = try (outcome(of: run), outcome(of: reference))
        #expect(found.keys.sorted() == wanted.keys.sorted(), "\(comment)")
        for (name, data) in wanted where name != "config.yaml" {
            #expect(found[name] == data, "\(name) differs: \(comment)")
        }
    }

    /// Trains a run to its end, killed at random instants on the way.
    ///
    /// - Parameter duration: seconds that the run takes without kills.
    /// - Returns: how often it was killed.
    static func killAndResume(
        _ config: String, as name: String, taking duration: Double, in directory: TemporaryDirectory,
        _ random: inout SeededGenerator, command: String = "train"
    ) throws -> Int {
        var kills = 0
        var arguments = [command, config, "--output", name]
        while true {
            // A few kills fall into the start of the process, the rest anywhere, evaluation and saving included.
            let delay =
                kills < 6 ? Double.random(in: 0.15...max(0.4, duration * 0.5), using: &random) : 1000
            let output = try PeoTool.run(arguments, in: directory) { process in
                let end = ContinuousClock.now + .seconds(delay)
                while process.isRunning, ContinuousClock.now < end { usleep(2000) }
                if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            }
            if !output.wasSignalled {
                #expect(output.status == 0, "PEO_TEST_SEED=\(random.seed): \(output.all)")
                return kills
            }
            kills += 1
            if FileManager.default.fileExists(atPath: directory.file(name).path) {
                arguments = [command, "--resume", name]
            }
        }
    }

    @Test(arguments: cases.indices)
    func killedAtRandomInstants(index: Int) throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.cases[index], in: directory)
        let started = ContinuousClock.now
        let whole = try PeoTool.run(["train", config, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let duration = (ContinuousClock.now - started) / .seconds(1)

        for round in 0..<2 {
            let kills = try Self.killAndResume(
                config, as: "killed-\(round)", taking: duration, in: directory, &random)
            print("ResumeTests: case \(index), round \(round): \(kills) kills, PEO_TEST_SEED=\(random.seed)")
            try Self.expectSame(
                directory.file("killed-\(round)"), as: directory.file("whole"),
                "after \(kills) kills, PEO_TEST_SEED=\(random.seed)")
        }
        #expect(try directory.names().allSatisfy { !$0.hasPrefix(".peo") || $0.hasPrefix(".peo-run") })
    }

    @Test func controlCFinishesTheStepAndSaysHowToResume() throws {
        let directory = try TemporaryDirectory()
        let yaml = Self.cases[0].replacingOccurrences(of: "epochs: 4", with: "epochs: 12")
        let config = try PeoTool.config(yaml, in: directory)
        let whole = try PeoTool.run(["train", config, "--output", "whole"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let output = try PeoTool.run(["train", config, "--output", "run"], in: directory) { process in
            // Once it trains: the first line of metrics is there.
            let metrics = directory.file("run/metrics.jsonl").path
            let end = ContinuousClock.now + .seconds(60)
            while (try? FileManager.default.attributesOfItem(atPath: metrics)[.size] as? Int) ?? 0 == 0,
                ContinuousClock.now < end
            { usleep(1000) }
            kill(process.processIdentifier, SIGINT)
        }
        #expect(output.status == 75 && !output.wasSignalled, "\(output.all)")
        #expect(output.stdout.isEmpty && output.stderr.contains("interrupted after step"), "\(output.all)")
        #expect(output.stderr.contains("peo train --resume run"), "\(output.all)")
        let resumed = try PeoTool.run(["train", "--resume", "run", "--json"], in: directory)
        #expect(resumed.status == 0 && resumed.stderr.isEmpty, "\(resumed.all)")
        try Self.expectSame(directory.file("run"), as: directory.file("whole"), "after Ctrl-C")

        // Resuming what is finished changes nothing and gives the same result.
        let before = try contents(below: directory.file("run"))
        let again = try PeoTool.run(["train", "--resume", "run", "--json"], in: directory)
        #expect(again.status == 0 && again.stdout == resumed.stdout, "\(again.all)")
        #expect(try contents(below: directory.file("run")) == before)
    }
}
