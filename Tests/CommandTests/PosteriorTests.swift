import Foundation
import Safetensors
import TestSupport
import Testing

/// Posteriors that are no Markov chains', through the tool.
@Suite(.serialized) struct PosteriorTests {
    static let swag = """
        model: {mlp: {hidden: [16], dropout: 0.1}}
        data: digits
        prior: {gaussian: {deviation: 0.5}}
        posterior: {swag: {rank: 5, draws: 400}}
        sampling: {chains: 3, steps: 4000, burnIn: 1000, thin: 30, batchSize: 32, seed: 3, logEvery: 100, checkpointEvery: 70}
        rule: {momentum: {learningRate: 0.05}}
        """
    static let variational = """
        model: {mlp: {hidden: [16]}}
        data: digits
        prior: {gaussian: {deviation: 0.5}}
        posterior: {variational: {draws: 400}}
        sampling: {chains: 2, steps: 3000, batchSize: 32, seed: 4, logEvery: 100, checkpointEvery: 70}
        rule: {ivon: {learningRate: {cosine: {from: 0.1, to: 0}}, beta2: 0.999}}
        """
    static let ensemble = """
        model: {mlp: {hidden: [8]}}
        data: digits
        prior: {laplace: {scale: 0.5}}
        posterior: ensemble
        sampling: {chains: 3, steps: 200, batchSize: 32, probes: 4}
        rule: {adam: {learningRate: {cosine: {from: 0.01, to: 0}}}}
        """

    /// Killed on the path and among the draws, a run ends with the same bits.
    @Test(arguments: [swag, variational]) func killedAndResumedWithTheSameBits(text: String) throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(text, in: directory)
        let started = ContinuousClock.now
        let whole = try PeoTool.run(["sample", config, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let duration = (ContinuousClock.now - started) / .seconds(1)
        let kills = try ResumeTests.killAndResume(
            config, as: "killed", taking: duration, in: directory, &random, command: "sample")
        print("PosteriorTests: \(kills) kills, PEO_TEST_SEED=\(random.seed)")
        let wanted = try SampleTests.outcome(of: directory.file("whole"))
        let found = try SampleTests.outcome(of: directory.file("killed"))
        #expect(found.keys.sorted() == wanted.keys.sorted(), "PEO_TEST_SEED=\(random.seed)")
        for (file, data) in wanted {
            #expect(found[file] == data, "\(file) differs, PEO_TEST_SEED=\(random.seed)")
        }
    }

    /// Members are in the files as draws are; nothing is said of R̂.
    @Test func anEnsembleLeavesItsMembers() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.ensemble, in: directory)
        let output = try PeoTool.run(["sample", config, "--output", "run", "--json"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any])
        #expect(result["posterior"] as? String == "ensemble" && result["draws"] as? Int == 1)
        #expect(result["weights"] == nil && (result["warnings"] as? [String])?.isEmpty == true)
        #expect(!output.stdout.contains("nan"), "\(output.stdout)")
        let part = try SafetensorsFile(
            contentsOf: directory.file("run/samples/part-000000.safetensors"))
        #expect(try part.tensor("1.weight").shape == [3, 1, 8, 64])
        #expect(try part.tensor("step", type: .int64).integers() == [200])
        let text = try PeoTool.run(["sample", config, "--output", "text"], in: directory)
        #expect(text.status == 0 && text.stdout.contains("posterior  ensemble"), "\(text.all)")
        #expect(!text.stdout.contains("R̂") && !text.stdout.contains("effective"), "\(text.all)")
        let metrics = try String(contentsOf: directory.file("run/metrics.jsonl"), encoding: .utf8)
        #expect(!metrics.contains("rHat") && !metrics.contains("temperature"), "\(metrics.prefix(300))")
        let report = try PeoTool.run(["report", "run"], in: directory)
        guard report.status == 0 else {
            // Plotly may not be there; the tests of reports insist on it.
            #expect(report.stderr.contains("Plotly"), "\(report.all)")
            return
        }
        let html = try String(contentsOf: directory.file("run/report.html"), encoding: .utf8)
        #expect(html.contains("They do not follow each other") && !html.contains("Autocorrelation"))
    }

    /// Without R̂, U says that a run went astray: far above its first value the run stops, and above it there is a warning.
    @Test func aRunThatWentAstrayIsNotCompletedInSilence() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(
            """
            model: {mlp: {hidden: [16]}}
            data: digits
            prior: {gaussian: {deviation: 0.5}}
            posterior: variational
            sampling: {chains: 2, steps: 300, batchSize: 32, seed: 4}
            rule: {ivon: {learningRate: 200}}
            """, in: directory)
        let output = try PeoTool.run(["sample", config, "--output", "run"], in: directory)
        #expect(output.status == 75 && output.stdout.isEmpty, "\(output.all)")
        for words in [
            "chain 0 exploded: its energy U is ", "over its draws, and was ", "a smaller learningRate",
            "beta2", "initialHessian", "Draws, if there were any, are in run/samples",
        ] { #expect(output.stderr.contains(words), "\(words): \(output.all)") }
        #expect(!FileManager.default.fileExists(atPath: directory.file("run/result.json").path))
        // It is no better for being asked again.
        let again = try PeoTool.run(["sample", "--resume", "run"], in: directory)
        #expect(again.status == 75 && again.stderr.contains("chain 0 exploded"), "\(again.all)")
        let listed = try PeoTool.run(["runs"], in: directory)
        #expect(listed.stdout.contains("diverged"), "\(listed.all)")

        let risen = try PeoTool.run(
            [
                "sample", config, "--output", "risen", "--set", "posterior=ensemble", "--set",
                "rule={sgd: {learningRate: 20}}", "--json",
            ], in: directory)
        let result = try #require(risen.json["result"] as? [String: Any], "\(risen.all)")
        let warnings = try #require(result["warnings"] as? [String])
        #expect(risen.status == 0 && warnings.first?.hasPrefix("chain 0: its energy U is ") == true)
        #expect(warnings.first?.contains("it has not come nearer to the posterior") == true, "\(warnings)")
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let directory = try TemporaryDirectory()
        for (text, settings, message) in [
            (
                Self.swag, ["rule={sghmc: {learningRate: 1e-6}}"],
                "rule: is sghmc, which samples; allowed with posterior: swag: rules that go to a mode"
            ),
            (Self.swag, ["posterior.swag.rank=1"], "rank: is 1; allowed: a whole number ≥ 2"),
            (Self.swag, ["posterior.swag.draws=0"], "draws: is 0; allowed: 1 to 1000000"),
            (
                Self.swag, ["posterior.swag.rank=101"],
                "posterior.swag.rank: is 101; allowed: 2 to 100, as often as θ is taken in: every 30 of 4000 steps after a burn-in of 1000"
            ),
            (
                Self.swag, ["rule={adamW: {learningRate: 0.001}}"],
                "rule.adamW.weightDecay: is 0.01; allowed: 0, since a Gaussian prior is said by the prior"
            ),
            (
                Self.swag, ["sampling.cycle={length: 100}"],
                "sampling.cycle: is given, and the rule does not sample; allowed: left out, and a schedule"
            ),
            (
                Self.swag, ["posterior={swga: {rank: 4}}"], "did you mean \"swag\"?"
            ),
            (Self.swag, ["posterior.swag.scale=2"], "scale"),
            (Self.ensemble, ["posterior={ensemble: {members: 3}}"], "members"),
            (
                Self.swag, ["posterior=chains"], "rule: is momentum, which goes to a mode and does not sample"
            ),
            (
                Self.variational, ["prior={laplace: {scale: 1}}"],
                "prior: is laplace, and the rule ivon has its prior in its own equation, as a precision; allowed with it: {gaussian"
            ),
            (
                Self.variational, ["rule.ivon.effectiveSampleSize=50"],
                "rule.ivon.effectiveSampleSize: is 50.0; allowed: left out: the posterior has 1437 examples"
            ),
            (
                Self.variational, ["rule.ivon.weightDecay=0.1"],
                "rule.ivon.weightDecay: is 0.1; allowed: left out: a Gaussian prior is said by the prior"
            ),
            (
                Self.variational, ["rule={adam: {learningRate: 0.001}}"],
                "rule: is adam, which learns no distribution; allowed with posterior: variational: ivon"
            ),
            (
                Self.variational, ["posterior=chains"],
                "rule: is ivon, which learns a distribution and does not sample; allowed with it: posterior: variational"
            ),
            (
                Self.variational, ["sampling.thin=5"],
                "sampling.thin: is 5; allowed: left out: draws are taken after a chain's last step"
            ),
            (
                Self.variational, ["parameterPerturbation={sam: {rho: 0.1}}"],
                "parameterPerturbation: is sam, and the rule ivon samples the weights itself"
            ),
            (
                Self.ensemble, ["sampling.burnIn=10"],
                "sampling.burnIn: is 10; allowed: left out: the end of a chain is its one draw"
            ),
            (
                Self.ensemble, ["rule={ivon: {learningRate: 0.1}}"],
                "rule: is ivon, which learns a distribution of its own"
            ),
        ] {
            let config = try PeoTool.config(text, in: directory)
            let output = try PeoTool.run(
                ["sample", config, "--output", "run"] + settings.flatMap { ["--set", $0] }, in: directory)
            #expect(output.status == 65 && output.stderr.contains(message), "\(settings): \(output.all)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("run").path))
        }
        // Where no posterior says it, the number of examples has to be given.
        let train = try PeoTool.config(PeoTool.smallConfig, in: directory, name: "train.yaml")
        let output = try PeoTool.run(
            ["train", train, "--output", "run", "--set", "rule={ivon: {learningRate: 0.1}}"], in: directory)
        #expect(
            output.status == 65 && output.stderr.contains("rule.ivon.effectiveSampleSize: is missing"),
            "\(output.all)")
    }
}
