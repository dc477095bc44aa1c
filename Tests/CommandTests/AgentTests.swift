import Foundation
import TestSupport
import Testing

/// Agents through the tool.
@Suite(.serialized) struct AgentTests {
    static let small = """
        environment: CartPole-v1
        agent: {ppo: {rolloutLength: 32, hidden: [16], minibatches: 2, epochs: 2}}
        training: {steps: 4000, copies: 4, seed: 3, logEvery: 500, checkpointEvery: 1000, evaluationEpisodes: 5}
        rule: {adam: {learningRate: {linear: {from: 1e-3, to: 0}}}}
        perturbation:
          - gaussian: {sigma: 0.01}
        stability: {clipGlobalNorm: 0.5}
        """

    /// With everything that could make a resume inexact: normalisers, RPO's variates, noise, a schedule, an environment
    /// whose episodes span rollouts.
    static let pendulum = """
        environment: Pendulum-v1
        agent:
          ppo:
            rolloutLength: 37
            hidden: [32]
            minibatches: 3
            epochs: 3
            robustPolicy: 0.5
            normaliseObservations: true
            normaliseRewards: true
        training: {steps: 40000, copies: 3, seed: 5, logEvery: 700, checkpointEvery: 1500, evaluationEpisodes: 4}
        rule: {adam: {learningRate: {linear: {from: 1e-3, to: 0}}}}
        perturbation:
          - gaussian: {sigma: {inversePower: {from: 0.01, exponent: 0.55}}}
        stability: {clipGlobalNorm: 0.5, rollbackOnSpike: {deviations: 4, snapshotEvery: 20, attempts: 1000}}
        """

    @Test func aRunLeavesWhatRunsLeave() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any])
        #expect(result["environment"] as? String == "CartPole-v1" && result["algorithm"] as? String == "ppo")
        #expect((result["steps"] as? Int ?? 0) >= 4000 && (result["steps"] as? Int ?? 0) < 4128)
        let evaluation = try #require(result["evaluation"] as? [String: Any])
        #expect(evaluation["episodes"] as? Int == 5)
        #expect((evaluation["returns"] as? [Double])?.count == 5)
        let run = directory.file("runs/test")
        for name in ["config.yaml", "run.json", "metrics.jsonl", "model.safetensors", "result.json"] {
            #expect(FileManager.default.fileExists(atPath: run.appendingPathComponent(name).path), "\(name)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: run.path)
        #expect(names.contains { $0.contains("tfevents") })
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: run.appendingPathComponent("checkpoints").path
            )
            .count == 2)
        let lines = try String(contentsOf: run.appendingPathComponent("metrics.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        for word in ["\"return\":", "\"length\":", "\"approximateKL\":", "\"entropy\":", "\"sigma\":0.01"] {
            #expect(lines[2].contains(word), "\(lines[2])")
        }
        #expect(lines.last?.contains("\"kind\":\"test\"") == true)

        let list = try PeoTool.run(["runs"], in: directory)
        for word in ["CartPole-v1", "ppo", "completed", "gaussian", "return"] {
            #expect(list.stdout.contains(word), "\(list.all)")
        }
        let show = try PeoTool.run(["runs", "show", "test"], in: directory)
        #expect(
            show.stdout.contains("without exploration") && show.stdout.contains("CartPole-v1"), "\(show.all)")
        try Data("Plotly = 1".utf8).write(to: directory.file("plotly.js"))
        let report = try PeoTool.run(
            ["report", "runs/test"], in: directory,
            environment: ["PEO_PLOTLY": directory.file("plotly.js").path])
        #expect(report.status == 0, "\(report.all)")
        let page = try String(contentsOf: run.appendingPathComponent("report.html"), encoding: .utf8)
        for word in ["Return", "Length of episodes", "Approximate KL", "ppo in CartPole-v1"] {
            #expect(page.contains(word), "\(word)")
        }
        let again = try PeoTool.run(["train", "--resume", "runs/test"], in: directory)
        #expect(again.status == 0 && again.stderr.contains("was finished before"), "\(again.all)")
        let longer = try PeoTool.run(
            ["train", "--resume", "runs/test", "--set", "training.steps=6000", "--json"], in: directory)
        #expect(
            ((longer.json["result"] as? [String: Any])?["steps"] as? Int ?? 0) >= 6000, "\(longer.all)")
        let other = try PeoTool.run(
            ["train", "--resume", "runs/test", "--set", "training.copies=2"], in: directory)
        #expect(other.status == 64 && other.stderr.contains("training.steps"), "\(other.all)")
    }

    @Test func killedAtRandomInstants() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.pendulum, in: directory)
        let started = ContinuousClock.now
        let whole = try PeoTool.run(["train", config, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let duration = (ContinuousClock.now - started) / .seconds(1)
        let kills = try ResumeTests.killAndResume(
            config, as: "killed", taking: duration, in: directory, &random)
        #expect(kills > 0)
        try ResumeTests.expectSame(
            directory.file("killed"), as: directory.file("whole"),
            "PEO_TEST_SEED=\(random.seed), \(kills) kills")
    }

    /// Ctrl-C saves and says how to go on; the end is the same.
    @Test func interrupted() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.pendulum, in: directory)
        var output = try PeoTool.run(["train", config, "--output", "stopped"], in: directory) { process in
            let checkpoints = directory.file("stopped/checkpoints")
            while process.isRunning,
                ((try? FileManager.default.contentsOfDirectory(atPath: checkpoints.path)) ?? []).isEmpty
            {
                usleep(2000)
            }
            kill(process.processIdentifier, SIGINT)
        }
        #expect(
            output.status == 75 && output.stderr.contains("peo train --resume stopped"), "\(output.all)")
        output = try PeoTool.run(["train", "--resume", "stopped"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let whole = try PeoTool.run(["train", config, "--output", "whole"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        try ResumeTests.expectSame(directory.file("stopped"), as: directory.file("whole"), "interrupted")
    }

    @Test(arguments: [
        ("data: digits", "data: an agent learns in an environment and a model from data"),
        ("model: {mlp: {}}", "and this configuration has 'model' beside 'environment'"),
        ("agents: {}", "unknown key 'agents'; did you mean 'agent'?"),
    ])
    func aMixtureIsRefused(line: String, words: String) throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small + "\n" + line, in: directory)
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 65 && output.stderr.contains(words), "\(output.all)")
        #expect(output.stderr.contains("test.yaml:8"), "\(output.all)")
    }

    @Test(arguments: [
        ("agent.ppo.clip=2", "agent.ppo.clip: is 2.0; allowed"),
        ("agent.ppo.robustPolicy=0.5", "allowed: 0 with CartPole-v1, whose actions are discrete"),
        ("agent.ppo.minibatches=1000", "allowed: at most 128"),
        ("training.copies=0", "training.copies: is 0; allowed: 1 to 1048576"),
        ("training.epochs=3", "unknown key 'epochs'"),
        ("perturbation=[{gradientCovariance: {}}]", "which an agent's update does not give"),
        (
            "controllers=[{gradientNoiseScale: {scales: learningRate}}]",
            "with the gradients of an agent's update: others"
        ),
        ("agent.ppo.rollbackOn={}", "rollbackOn.approximateKL: is not set, and neither is valueLoss"),
        ("agent={pp: {}}", "there is no algorithm"),
        ("environment=CartPole", "did you mean \"CartPole-v1\"?"),
    ])
    func badSettingsAreRefusedByName(setting: String, words: String) throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(["train", config, "--set", setting], in: directory)
        #expect([64, 65].contains(output.status) && output.stderr.contains(words), "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("runs").path))
    }

    /// A checkpoint of another network is refused, with the tensor and both shapes.
    @Test func aCheckpointOfAnotherShapeIsRefused() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        #expect(try PeoTool.run(["train", config, "--output", "run"], in: directory).status == 0)
        let run = directory.file("run")
        try FileManager.default.removeItem(at: run.appendingPathComponent("result.json"))
        let file = run.appendingPathComponent("config.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains("hidden"))
        let changed = text.replacingOccurrences(of: "[16]", with: "[8]")
            .replacingOccurrences(of: "- 16", with: "- 8")
        #expect(changed != text)
        try Data(changed.utf8).write(to: file)
        let output = try PeoTool.run(["train", "--resume", "run"], in: directory)
        #expect(
            output.status == 65 && output.stderr.contains("model.actor.0.weight")
                && output.stderr.contains("[16, 4]") && output.stderr.contains("[8, 4]"), "\(output.all)")
    }

    /// Updates that are never finite end the run, with words that help.
    @Test func aRateThatIsTooHighStops() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(
            ["train", config, "--set", "rule={sgd: {learningRate: 1e38}}"], in: directory)
        #expect(
            output.status == 75 && output.stderr.contains("Lower the learning rate"), "\(output.all)")
    }

    @Test func anAgentIsEvaluatedAndShown() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(
            Self.small.replacingOccurrences(of: "steps: 4000", with: "steps: 1000"), in: directory)
        let trained = try PeoTool.run(["train", config], in: directory)
        #expect(trained.status == 0, "\(trained.all)")
        let cache = try ParityPython.packages("pillow").deletingLastPathComponent().path
        let environment = [
            "PEO_CACHE": cache, "PEO_PYTHON": PeoTool.root.appendingPathComponent(".python").path,
        ]
        let output = try PeoTool.run(
            ["evaluate", "runs/test", "--episodes", "7", "--render", "film.gif", "--json"], in: directory,
            environment: environment)
        #expect(output.status == 0, "\(output.all)")
        let report = try #require((output.json["evaluations"] as? [[String: Any]])?.first)
        let evaluation = try #require(report["evaluation"] as? [String: Any])
        let returns = try #require(evaluation["returns"] as? [Double])
        #expect(returns.count == 7 && report["environment"] as? String == "CartPole-v1")
        let mean = returns.reduce(0, +) / 7
        #expect(abs((evaluation["mean"] as? Double ?? 0) - mean) < 1e-9)
        // Student's t with 6 degrees of freedom.
        let deviation = try #require(evaluation["deviation"] as? Double)
        let interval = try #require(report["interval"] as? [String: Any])
        let upper = try #require(interval["upper"] as? Double)
        #expect(abs(upper - mean - 2.446912 * deviation / 7.0.squareRoot()) < 1e-4 * max(1, deviation))
        let frames = try ParityPython.run(
            """
            import sys
            from PIL import Image
            image = Image.open(sys.argv[1])
            sizes = set()
            for i in range(image.n_frames):
                image.seek(i)
                sizes.add(image.size)
            print(image.format, image.n_frames, sorted(sizes), image.info["duration"])
            """, directory.file("film.gif").path, with: "pillow")
        // As many pictures as steps and one more, of which players may have been spared equal ones.
        #expect(frames.hasPrefix("GIF "), "\(frames)")
        #expect(frames.contains("[(400, 200)]"), "\(frames)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("film.gif.partial").path))

        // A run that cannot be evaluated is found before another is written about.
        try FileManager.default.copyItem(
            at: directory.file("runs/test"), to: directory.file("runs/empty"))
        try FileManager.default.removeItem(at: directory.file("runs/empty/checkpoints"))
        try FileManager.default.removeItem(at: directory.file("runs/test/evaluation.json"))
        let mixed = try PeoTool.run(["evaluate", "runs/test", "runs/empty"], in: directory)
        #expect(mixed.status == 66 && mixed.stderr.contains("runs/empty"), "\(mixed.all)")
        #expect(
            !FileManager.default.fileExists(atPath: directory.file("runs/test/evaluation.json").path))

        let text = try PeoTool.run(["evaluate", "runs/test", "--episodes", "3"], in: directory)
        #expect(text.status == 0 && text.stdout.contains("95% interval"), "\(text.all)")
        // The report on the run shows it.
        try Data("Plotly = 1".utf8).write(to: directory.file("plotly.js"))
        let page = try PeoTool.run(
            ["report", "runs/test"], in: directory,
            environment: ["PEO_PLOTLY": directory.file("plotly.js").path])
        #expect(page.status == 0, "\(page.all)")

        for (arguments, status, words) in [
            (["--render", "film.png"], 64, "the name of a .gif file"),
            (["--only", "quality"], 64, "is for models"),
            (["--episodes", "0"], 64, "allowed: 1 to 1000000"),
            (["--render", "none/film.gif"], 73, "none/film.gif"),
        ] {
            let refused = try PeoTool.run(
                ["evaluate", "runs/test"] + arguments, in: directory, environment: environment)
            #expect(refused.status == status && refused.stderr.contains(words), "\(refused.all)")
        }
        let none = try PeoTool.run(
            ["evaluate", "runs/test", "--episodes", "1", "--render", "film2.gif"], in: directory,
            environment: ["PEO_PYTHON": "/bin/false"])
        #expect(none.status == 74 && !none.wasSignalled, "\(none.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("film2.gif").path))
    }

    /// Trials are halved by their returns, and the best is confirmed beside the configuration as it is.
    @Test func settingsAreSearched() throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(Self.small, in: directory)
        let study = try PeoTool.config(
            """
            config: test.yaml
            search:
              rule.adam.learningRate.linear.from: {log: [1e-4, 1e-2]}
              agent.ppo.lambda: {linear: [0.8, 1]}
            trials: 6
            halving: {factor: 2, rungs: 2}
            confirm: {top: 2, seeds: 2}
            """, in: directory, name: "find.yaml")
        let output = try PeoTool.run(["tune", study, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let report = output.json
        #expect(report["metric"] as? String == "return" && report["isHigherBetter"] as? Bool == true)
        let trials = report["trials"] as? [[String: Any]] ?? []
        let values = trials.map { $0["values"] as? [Double] ?? [] }
        #expect(values.count == 6 && values.allSatisfy { $0.allSatisfy { $0 >= 8 } }, "\(output.all)")
        #expect(values.contains { $0.count == 2 } && values.contains { $0.count == 1 }, "\(values)")
        let finalists = report["finalists"] as? [[String: Any]] ?? []
        let means = finalists.compactMap { $0["mean"] as? Double }
        #expect(means.count == 3 && finalists[0]["trial"] == nil, "\(finalists)")
        let best = try #require(report["best"] as? Int)
        let bestMean = finalists.first { $0["trial"] as? Int == best }?["mean"] as? Double
        #expect(bestMean == means.dropFirst().max())
        let text = try PeoTool.run(["tune", study], in: directory)
        #expect(
            text.stdout.contains("best: trial \(best)") && !text.stdout.contains("held-out"), "\(text.all)")
        let run = try PeoTool.run(
            ["train", "searches/find/best.yaml", "--set", "training.steps=500"], in: directory)
        #expect(run.status == 0, "\(run.all)")
        try Data("Plotly = 1".utf8).write(to: directory.file("plotly.js"))
        let page = try PeoTool.run(
            ["report", "searches/find"], in: directory,
            environment: ["PEO_PLOTLY": directory.file("plotly.js").path])
        #expect(page.status == 0, "\(page.all)")
    }

    @Test func aRangeOfNoiseIsForModels() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.small, in: directory)
        let output = try PeoTool.run(["tune", config, "--find-sigma"], in: directory)
        #expect(
            output.status == 65 && output.stderr.contains("peo tune --find-sigma is for models"),
            "\(output.all)")
    }

    /// The example's policy is as good as there is, within the steps of its reference.
    @Test func theExampleReachesItsReference() throws {
        let directory = try TemporaryDirectory()
        let example = PeoTool.root.appendingPathComponent("Examples/cartpole-ppo.yaml").path
        let output = try PeoTool.run(["train", example, "--json"], in: directory)
        let result = output.json["result"] as? [String: Any]
        let evaluation = result?["evaluation"] as? [String: Any]
        // Six seeds of six reach 500.
        #expect((evaluation?["mean"] as? Double ?? 0) >= 475, "\(output.all)")
    }

    @Test func armsAreCompared() throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(Self.small, in: directory)
        let study = try PeoTool.config(
            """
            config: test.yaml
            arms:
              plain: {perturbation: []}
              noise: {perturbation: [{gaussian: {sigma: 0.1}}]}
            seeds: 3
            """, in: directory, name: "study.yaml")
        let output = try PeoTool.run(["compare", study, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(output.json["metric"] as? String == "return")
        #expect(output.json["isHigherBetter"] as? Bool == true)
        let arms = try #require(output.json["arms"] as? [[String: Any]])
        #expect(arms.count == 2)
        for arm in arms {
            let measures = try #require(arm["measures"] as? [String: Any])
            #expect(measures["return"] != nil && measures["evaluation.return"] != nil)
        }
    }
}
