import Foundation
import Safetensors
import TestSupport
import Testing

/// `peo evaluate` of posteriors, ensembles and dropout, as a user does it.
@Suite(.serialized) struct EvaluatePosteriorTests {
    private static func sample(_ directory: TemporaryDirectory, _ yaml: String = SampleTests.small) throws {
        let config = try PeoTool.config(yaml, in: directory, name: "sample.yaml")
        let output = try PeoTool.run(["sample", config, "--output", "drawn", "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
    }

    private static func train(
        _ directory: TemporaryDirectory, output: String, config: String = PeoTool.smallConfig,
        _ settings: String...
    ) throws {
        let path = try PeoTool.config(config, in: directory)
        let trained = try PeoTool.run(
            ["train", path, "-o", output, "--json"] + settings.flatMap { ["--set", $0] }, in: directory)
        #expect(trained.status == 0, "\(trained.all)")
    }

    private static func reports(_ directory: TemporaryDirectory, _ arguments: String...) throws
        -> [[String: Any]]
    {
        let output = try PeoTool.run(["evaluate", "--json"] + arguments, in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        return try #require(output.json["evaluations"] as? [[String: Any]], "\(output.all)")
    }

    private static func value(_ report: [String: Any], _ path: String...) -> Any? {
        path.dropLast().reduce(report as [String: Any]?) { $0?[$1] as? [String: Any] }?[path.last!]
    }

    private static func number(_ report: [String: Any], _ path: String...) -> Double {
        path.dropLast().reduce(report as [String: Any]?) { $0?[$1] as? [String: Any] }?[path.last!] as? Double
            ?? .nan
    }

    private static func exists(_ directory: TemporaryDirectory, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.file(name).path)
    }

    // MARK: What is measured

    @Test func aSampledRunIsItsDrawsTogether() throws {
        let directory = try TemporaryDirectory()
        try Self.sample(directory)
        let report = try #require(try Self.reports(directory, "drawn").first)
        #expect(Self.value(report, "posterior", "kind") as? String == "draws")
        #expect(Self.value(report, "posterior", "members") as? Int == 180)
        #expect(Self.value(report, "posterior", "draws") as? Int == 180)
        #expect(report["step"] as? Int == 400 && report["robustness"] == nil)
        let (loss, alone) = (
            Self.number(report, "quality", "evaluation", "loss"),
            Self.number(report, "posterior", "classes", "meanMember", "loss")
        )
        #expect(loss < alone, "\(report)")
        let (entropy, expected, mutual) = (
            Self.number(report, "posterior", "classes", "entropy"),
            Self.number(report, "posterior", "classes", "expectedEntropy"),
            Self.number(report, "posterior", "classes", "mutualInformation")
        )
        #expect(mutual > 0 && abs(entropy - expected - mutual) < 1e-9, "\(report)")
        #expect(Self.value(report, "posterior", "temperature", "source") as? String == "half")
        #expect(Self.value(report, "posterior", "temperature", "fitted") as? Int == 180)
        // It is kept, and the same command gives the same bits; what is there by name is what is there by default.
        let kept = try JSONSerialization.jsonObject(
            with: try Data(contentsOf: directory.file("drawn/evaluation.json")))
        #expect(kept as? NSDictionary == report as NSDictionary)
        for arguments in [["--posterior"], ["--only", "quality,posterior"]] {
            let again = try PeoTool.run(["evaluate", "--json", "drawn"] + arguments, in: directory)
            let found = (again.json["evaluations"] as? [NSDictionary])?.first
            #expect(found == report as NSDictionary, "\(again.all)")
        }
        let few = try #require(try Self.reports(directory, "drawn", "--members", "10", "--seed", "2").first)
        #expect(Self.value(few, "posterior", "members") as? Int == 10)
        // The same data as others: the area is a half.
        let same = try #require(try Self.reports(directory, "drawn", "--ood", "digits").first)
        for measure in ["byEntropy", "byMutualInformation", "byConfidence"] {
            #expect(Self.number(same, "posterior", "outOfDistribution", measure) == 0.5, "\(measure)")
        }
        let text = try PeoTool.run(["evaluate", "drawn", "--members", "10"], in: directory)
        for words in [
            "10 of 180 draws, 3 chains", "epistemic: mutual information", "temperature", "ECE",
            "loss, mean member",
        ] { #expect(text.status == 0 && text.stdout.contains(words), "\(words): \(text.all)") }
        #expect(text.stderr.contains("posterior: 10 of 10 members"), "\(text.all)")
    }

    /// Beside a posterior a trained run is measured as one, by its one set of weights.
    @Test func posteriorAndPointSideBySide() throws {
        let directory = try TemporaryDirectory()
        try Self.sample(directory)
        try Self.train(directory, output: "point", "training.validation={fraction: 0.2}")
        let both = try Self.reports(directory, "drawn", "point")
        #expect(both.count == 2 && both.allSatisfy { $0["flatness"] == nil && $0["robustness"] == nil })
        let point = both[1]
        #expect(Self.value(point, "posterior", "kind") as? String == "weights")
        #expect(Self.number(point, "posterior", "classes", "mutualInformation") == 0)
        #expect(Self.value(point, "posterior", "temperature", "source") as? String == "validation")
        #expect(Self.value(point, "posterior", "temperature", "fitted") as? Int == 287)
        let alone = try #require(try Self.reports(directory, "point", "--posterior").first)
        #expect(alone["posterior"] as? NSDictionary == point["posterior"] as? NSDictionary)
        // Of one set of weights the predictive distribution is the model's.
        #expect(
            abs(
                Self.number(point, "posterior", "classes", "quality", "loss")
                    - Self.number(point, "quality", "evaluation", "loss")) < 1e-12)
        let text = try PeoTool.run(["evaluate", "drawn", "point"], in: directory)
        let lines = text.stdout.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("    epistemic") && $0.hasSuffix("–") }, "\(text.all)")
        // Validation data are held out of some runs alone.
        let refused = try PeoTool.run(["evaluate", "drawn", "--split", "validation"], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("holds no validation data out"), "\(refused.all)")
    }

    @Test func severalRunsAreOneEnsemble() throws {
        let directory = try TemporaryDirectory()
        for seed in 1...3 { try Self.train(directory, output: "run\(seed)", "training.seed=\(seed)") }
        let singles = try Self.reports(directory, "run1", "run2", "run3", "--only", "quality")
        for seed in 1...3 {
            try FileManager.default.removeItem(at: directory.file("run\(seed)/evaluation.json"))
        }
        let found = try #require(try Self.reports(directory, "run1", "run2", "run3", "--ensemble").first)
        #expect(found["run"] as? String == "ensemble of 3")
        #expect(Self.value(found, "posterior", "runs") as? [String] == ["run1", "run2", "run3"])
        let mean = singles.map { Self.number($0, "quality", "evaluation", "loss") }.reduce(0, +) / 3
        #expect(abs(Self.number(found, "posterior", "classes", "meanMember", "loss") - mean) < 1e-12)
        #expect(Self.number(found, "quality", "evaluation", "loss") < mean)
        // An ensemble is none of its runs.
        #expect(!Self.exists(directory, "run1/evaluation.json"))
        try Self.train(directory, output: "other", "model.mlp.hidden=[4]")
        let refused = try PeoTool.run(["evaluate", "run1", "other", "--ensemble"], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("other/config.yaml: model: is ")
                && refused.stderr.contains("an ensemble is of runs that differ in nothing but their training"),
            "\(refused.all)")
    }

    @Test func masksOfDropout() throws {
        let directory = try TemporaryDirectory()
        try Self.train(directory, output: "dropping", "model.mlp.dropout=0.3")
        try Self.train(directory, output: "plain")
        let found = try #require(try Self.reports(directory, "dropping", "--dropout", "6").first)
        #expect(Self.value(found, "posterior", "kind") as? String == "dropout")
        #expect(Self.value(found, "posterior", "members") as? Int == 6)
        #expect(Self.number(found, "posterior", "classes", "mutualInformation") > 0)
        let again = try #require(try Self.reports(directory, "dropping", "--dropout", "6").first)
        #expect(again as NSDictionary == found as NSDictionary)
        let seeded = try #require(
            try Self.reports(directory, "dropping", "--dropout", "6", "--seed", "2").first)
        #expect(
            Self.number(seeded, "quality", "evaluation", "loss")
                != Self.number(found, "quality", "evaluation", "loss"))
        let refused = try PeoTool.run(["evaluate", "plain", "--dropout", "6"], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("plain/config.yaml: model: has no dropout"),
            "\(refused.all)")
    }

    @Test func numbersHaveIntervals() throws {
        var random = SeededGenerator(seed: 5)
        let directory = try TemporaryDirectory()
        let rows = (0..<120).map { _ in
            let x = Double.random(in: -1...1, using: &random)
            return "\(x),\(100 + 20 * x + Double.random(in: -3...3, using: &random))"
        }
        try Data((["x,y"] + rows.prefix(80)).joined(separator: "\n").utf8).write(to: directory.file("a.csv"))
        try Data((["x,y"] + rows.suffix(40)).joined(separator: "\n").utf8).write(to: directory.file("b.csv"))
        let data = "data: {csv: {train: a.csv, test: b.csv, label: y, target: regression}}"
        try Self.sample(
            directory,
            """
            model: {mlp: {hidden: [8]}}
            \(data)
            prior: {gaussian: {deviation: 1}}
            likelihood: {gaussian: {deviation: 0.2}}
            sampling: {chains: 2, steps: 800, burnIn: 400, thin: 10, batchSize: 40}
            rule: {sghmc: {learningRate: 1e-5, friction: 0.1}}
            """)
        let found = try #require(try Self.reports(directory, "drawn").first)
        let numbers = try #require(Self.value(found, "posterior", "numbers") as? [String: Any])
        #expect(Self.value(found, "posterior", "deviationSource") as? String == "likelihood")
        #expect(Self.value(found, "posterior", "deviation") as? Double == 0.2)
        #expect(Self.number(numbers, "rmse") == Self.number(found, "quality", "evaluation", "rmse"))
        let intervals = try #require(numbers["intervals"] as? [[String: Any]])
        #expect(intervals.map { $0["level"] as? Double } == [0.5, 0.9, 0.95])
        #expect(Self.number(numbers, "epistemicVariance") > 0)
        #expect(
            Self.number(numbers, "logDensity") >= Self.number(numbers, "meanMember", "logDensity"))
        try Self.train(
            directory, output: "point",
            config: """
                model: {mlp: {hidden: [8]}}
                \(data)
                training: {steps: 200, batchSize: 20, threads: 1}
                rule: {adam: {learningRate: 0.01}}
                """)
        let point = try #require(try Self.reports(directory, "point", "--posterior").first)
        #expect(Self.value(point, "posterior", "deviationSource") as? String == "train")
        #expect(Self.number(point, "posterior", "numbers", "epistemicVariance") == 0)
        let text = try PeoTool.run(["evaluate", "drawn", "point"], in: directory)
        for words in ["95% interval", "log predictive density", "of the errors on train", "the likelihood's"]
        {
            #expect(text.status == 0 && text.stdout.contains(words), "\(words): \(text.all)")
        }
        let outside = try PeoTool.run(["evaluate", "drawn", "--ood", "digits"], in: directory)
        #expect(outside.status == 65 && outside.stderr.contains("predicts numbers"), "\(outside.all)")
    }

    // MARK: What goes wrong

    @Test func whatDoesNotFitIsRefusedByName() throws {
        let directory = try TemporaryDirectory()
        try Self.sample(directory)
        try Self.train(directory, output: "run")
        for (arguments, words) in [
            (
                ["drawn", "--weights", "best"],
                "--weights is for runs that are trained, and drawn is a sampled"
            ),
            (["drawn", "run", "--ensemble"], "--ensemble is for runs that are trained, and drawn"),
            (["drawn", "--dropout", "4"], "--dropout is for runs that are trained, and drawn"),
            (["drawn", "--only", "robustness"], "--only names robustness, which is of one set of weights"),
            (["drawn", "--epsilon", "0.1"], "--epsilon is of robustness"),
            (["run", "--posterior", "--probes", "3"], "--probes is of flatness"),
            (["run", "--members", "4"], "--members is for sampled posteriors, and run is"),
            (["run", "--ensemble"], "--ensemble is given with one run; allowed: two or more"),
            (["run", "--ood", "digits"], "--ood is a measure of the predictive distribution"),
            (["run", "--posterior", "--only", "quality"], "--only and --posterior"),
            (["run", "run", "--ensemble", "--dropout", "3"], "--ensemble and --dropout are both given"),
            (["run", "--dropout", "0"], "--dropout is 0; allowed: 1 to 1000000"),
            (["drawn", "--members", "0"], "--members is 0; allowed: 1 to 1000000"),
            (["drawn", "--ood", "fashion-mnits"], "did you mean 'fashion-mnist'?"),
            (["run", "--episodes", "3"], "--episodes is for agents"),
        ] {
            let output = try PeoTool.run(["evaluate"] + arguments, in: directory)
            #expect(
                output.status == 64 && output.stderr.contains(words) && output.stdout.isEmpty,
                "\(arguments): \(output.all)")
        }
        #expect(
            !Self.exists(directory, "run/evaluation.json") && !Self.exists(directory, "drawn/evaluation.json")
        )
    }

    @Test func drawsThatAreMissingOrNoNumbers() throws {
        let directory = try TemporaryDirectory()
        try Self.sample(directory)
        let part = directory.file("drawn/samples/part-000001.safetensors")
        let whole = try Data(contentsOf: part)
        // The second draw's first weight is no number.
        let file = try SafetensorsFile(data: whole)
        let broken = try SafetensorsFile(
            tensors: try file.tensors.map { entry in
                guard entry.name == "1.weight" else { return entry }
                var data = Data(entry.data)
                data.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
                return try TensorEntry(name: entry.name, type: entry.type, shape: entry.shape, data: data)
            }, metadata: file.metadata)
        try broken.encoded().write(to: part)
        let refused = try PeoTool.run(["evaluate", "drawn"], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("the outputs of member 5 of 180 are not finite"),
            "\(refused.all)")
        try whole.prefix(whole.count / 2).write(to: part)
        let damaged = try PeoTool.run(["evaluate", "drawn"], in: directory)
        #expect(damaged.status == 65 && damaged.stderr.contains("part-000001"), "\(damaged.all)")
        // As before the first part is written.
        try FileManager.default.removeItem(at: directory.file("drawn/samples"))
        for make in [false, true] {
            if make {
                try FileManager.default.createDirectory(
                    at: directory.file("drawn/samples"), withIntermediateDirectories: false)
            }
            let none = try PeoTool.run(["evaluate", "drawn"], in: directory)
            #expect(
                none.status == 66 && none.stderr.contains("has written no draws yet")
                    && none.stderr.contains("peo sample --resume drawn"), "\(none.all)")
        }
        #expect(!Self.exists(directory, "drawn/evaluation.json"))
    }

    @Test func otherDataOfAnotherShape() throws {
        let directory = try TemporaryDirectory()
        try Data("x,y,class\n0,1,a\n1,0,b\n0.5,1,a\n1,0.2,b\n".utf8).write(to: directory.file("t.csv"))
        try Self.train(
            directory, output: "table",
            config: """
                model: {mlp: {hidden: [4]}}
                data: {csv: {train: t.csv, test: t.csv, label: class}}
                training: {steps: 20, batchSize: 4, threads: 1}
                rule: {sgd: {learningRate: 0.5}}
                """)
        let output = try PeoTool.run(["evaluate", "table", "--posterior", "--ood", "digits"], in: directory)
        #expect(
            output.status == 65
                && output.stderr.contains("reads inputs of the shape [2], and those of digits have [1, 8, 8]"),
            "\(output.all)")
    }

    @Test func theReportShowsUncertainty() throws {
        let directory = try TemporaryDirectory()
        try Self.sample(directory)
        _ = try Self.reports(directory, "drawn", "--ood", "digits")
        let report = try PeoTool.run(["report", "drawn"], in: directory)
        guard report.status == 0 else {
            // Plotly may not be there; the tests of reports insist on it.
            #expect(report.stderr.contains("Plotly"), "\(report.all)")
            return
        }
        let html = try String(contentsOf: directory.file("drawn/report.html"), encoding: .utf8)
        for title in [
            "Posterior predictive", "Entropy of predictions", "Disagreement of members", "Reliability",
            "digits is told apart", "Of the mean over 180 draws, 3 chains",
        ] { #expect(html.contains(title), "\(title)") }
    }
}
