import Foundation
import TestSupport
import Testing

/// A configuration with one thing wrong: the tool says what, what is allowed and where, makes no run, and exits
/// with 65.
@Suite struct BadConfigTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var replacing: String
        var with: String
        var says: [String]

        init(_ description: String, _ replacing: String, _ with: String, says: String...) {
            testDescription = description
            self.replacing = replacing
            self.with = with
            self.says = says
        }
    }

    static let mistakes: [Mistake] = [
        .init(
            "unknown key", "seed: 3", "sed: 3", says: "test.yaml:3: training.sed: unknown key 'sed'", "'seed'"
        ),
        .init(
            "unknown top-level key", "data: digits", "data: digits\nrules: {}", says: "test.yaml:3",
            "unknown key 'rules'", "rule"),
        .init(
            "unknown key of a perturbation", "{sigma: 0.01}", "{sigma: 0.01, sgima: 2}",
            says: "test.yaml:6: perturbation.0.gaussian.sgima: unknown key 'sgima'", "'sigma'"),
        .init(
            "wrong type", "batchSize: 32", "batchSize: many", says: "test.yaml:3: training.batchSize",
            "whole number", "'many'"),
        .init("text for a number", "0.05", "fast", says: "test.yaml:4: rule.momentum.learningRate", "fast"),
        .init(
            "negative sigma", "sigma: 0.01", "sigma: -0.01", says: "test.yaml:6: perturbation.0.gaussian",
            "sigma", "-0.01", "≥ 0"),
        .init(
            "infinite sigma", "sigma: 0.01", "sigma: .inf",
            says: "test.yaml:6: perturbation.0.gaussian.sigma", ".inf"),
        .init(
            "p of 1", "gaussian: {sigma: 0.01}", "dropNoise: {probability: 1}",
            says: "test.yaml:6: perturbation.0.dropNoise", "probability", "is 1", "< 1"),
        .init(
            "dropout of 1.5", "hidden: [16]", "hidden: [16], dropout: 1.5",
            says: "test.yaml:1: model.mlp.dropout", "1.5", "below 1"),
        .init("beta of 1", "momentum: 0.9", "momentum: 1.5", says: "test.yaml:4: rule.momentum", "1.5"),
        .init(
            "unknown perturbation", "gaussian:", "gausian:", says: "test.yaml:6: perturbation.0", "gausian",
            "did you mean \"gaussian\"", "laplace"),
        .init(
            "unknown rule", "rule: {momentum: {learningRate: 0.05, momentum: 0.9}}", "rule: {adamm: {}}",
            says: "test.yaml:4: rule", "adamm", "did you mean \"adam\""),
        .init(
            "unknown model", "mlp: {hidden: [16]}", "mpl: {}", says: "test.yaml:1: model", "mpl", "mlp", "cnn"
        ),
        .init(
            "unknown data set", "data: digits", "data: digit", says: "test.yaml:2: data", "'digit'",
            "did you mean 'digits'", "mnist"),
        .init(
            "unknown schedule", "0.05", "{cosin: {from: 1}}", says: "test.yaml:4: rule.momentum.learningRate",
            "cosin", "did you mean \"cosine\""),
        .init(
            "unknown guard", "data: digits", "data: digits\nstability: {clipGlobalNrm: 1}",
            says: "test.yaml:3: stability.clipGlobalNrm", "'clipGlobalNorm'"),
        .init(
            "two rules", "rule: {momentum:", "rule: {sgd: {learningRate: 1}, momentum:",
            says: "test.yaml:4: rule", "one rule", "momentum, sgd"),
        .init(
            "two lengths", "steps: 40", "steps: 40, epochs: 2", says: "test.yaml:3: training.steps",
            "'epochs'"),
        .init("no length", "steps: 40, ", "", says: "test.yaml:3: training", "'epochs' or 'steps'"),
        .init("no steps", "steps: 40", "steps: 0", says: "test.yaml:3: training.steps", "is 0", "1 to"),
        .init(
            "missing rule", "rule: {momentum: {learningRate: 0.05, momentum: 0.9}}", "", says: "test.yaml",
            "'rule' is missing"),
        .init("no YAML", "data: digits", "data: [digits", says: "test.yaml", "not valid YAML"),
        .init("a key twice", "data: digits", "data: digits\ndata: mnist", says: "'data'", "more than once"),
        .init(
            "validation of everything", "seed: 3", "seed: 3, validation: {fraction: 1}",
            says: "test.yaml:3: training.validation", "fraction is 1"),
        .init(
            "validation of nothing", "seed: 3", "seed: 3, validation: {fraction: 0.00001}",
            says: "validation", "0 examples"),
        .init(
            "a group that matches nothing", "data: digits",
            "data: digits\ngroups: [{parameters: [\"*.wieght\"]}]", says: "groups.0.parameters", "wieght",
            "1.weight"),
        .init(
            "a model too deep for the image", "mlp: {hidden: [16]}", "cnn: {channels: [8, 8, 8, 8]}",
            says: "8×8", "at most 3"),
        .init(
            "early stop without patience", "seed: 3", "seed: 3, earlyStop: {metric: loss}",
            says: "training.earlyStop", "'patience' is missing"),
        .init(
            "early stop on what", "seed: 3", "seed: 3, earlyStop: {metric: acuracy, patience: 1}",
            says: "training.earlyStop.metric", "did you mean 'accuracy'"),
    ]

    @Test(arguments: mistakes)
    func isRefused(mistake: Mistake) throws {
        let directory = try TemporaryDirectory()
        #expect(PeoTool.smallConfig.contains(mistake.replacing))
        let yaml = PeoTool.smallConfig.replacingOccurrences(of: mistake.replacing, with: mistake.with)
        let config = try PeoTool.config(yaml, in: directory)
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        #expect(output.stdout.isEmpty, "\(output.all)")
        for text in mistake.says { #expect(output.stderr.contains(text), "wanted: \(text)\n\(output.all)") }
        #expect(try directory.names() == ["test.yaml"], "\(output.all)")
    }

    /// 3.6 TiB of weights.
    @Test func aModelLargerThanMemoryExitsWith71() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let output = try PeoTool.run(
            ["train", config, "--set", "model.mlp.hidden=[1000000, 1000000]"], in: directory)
        #expect(output.status == 71 && !output.wasSignalled, "\(output.all)")
        for text in ["not enough memory", "4000000000000 bytes", "training.batchSize"] {
            #expect(output.stderr.contains(text), "\(output.all)")
        }
        #expect(try directory.names() == ["test.yaml"], "\(output.all)")
    }

    @Test func errorsAreJSONWhenAskedFor() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let output = try PeoTool.run(["train", config, "--json", "--set", "training.sed=3"], in: directory)
        #expect(output.status == 65 && output.stderr.isEmpty, "\(output.all)")
        let error = try #require(output.json["error"] as? [String: Any], "\(output.all)")
        #expect(error["code"] as? String == "config.unknownKey")
        #expect(error["exitCode"] as? Int == 65)
        #expect((error["message"] as? String)?.contains("--set training.sed: unknown key 'sed'") == true)
    }

    @Test(arguments: [
        (["train"], "<config>"), (["train", "a.yaml", "--steps", "3"], "--steps"),
        (["trian"], "trian"), (["train", "test.yaml", "--set", "epochs"], "key.path=value"),
        (["list", "perturbation"], "did you mean 'perturbations'?"),
        (["train", "--resume", "x", "--output", "y"], "--output"),
    ])
    func wrongUsageExitsWith64(arguments: [String], says: String) throws {
        let directory = try TemporaryDirectory()
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let output = try PeoTool.run(arguments, in: directory)
        #expect(output.status == 64 && output.stdout.isEmpty, "\(output.all)")
        #expect(output.stderr.contains(says), "\(output.all)")
        let json = try PeoTool.run(arguments + ["--json"], in: directory)
        let error = try #require(json.json["error"] as? [String: Any], "\(json.all)")
        #expect(json.status == 64 && json.stderr.isEmpty && error["exitCode"] as? Int == 64, "\(json.all)")
    }

    @Test func missingFilesExitWith66() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["train", "nowhere.yaml"], in: directory)
        #expect(output.status == 66, "\(output.all)")
        #expect(
            output.stderr.contains("nowhere.yaml") && output.stderr.contains("No such file"), "\(output.all)")
        let resume = try PeoTool.run(["train", "--resume", "nowhere"], in: directory)
        #expect(resume.status == 66 && resume.stderr.contains("nowhere"), "\(resume.all)")
    }
}
