import Foundation
import TestSupport
import Testing

/// `peo train` on numbers to predict.
@Suite struct RegressionTests {
    static func config(_ data: String, training: String = "epochs: 40", in directory: TemporaryDirectory)
        throws
        -> String
    {
        try PeoTool.config(
            """
            model: {mlp: {hidden: [16]}}
            data: \(data)
            training: {\(training), batchSize: 20, seed: 1, threads: 1}
            rule: {adam: {learningRate: {cosine: {from: 0.01, warmup: {epochs: 2}}}}}
            perturbation:
              - gaussian: {sigma: {step: {from: 0.01, factor: 0.1, every: {epochs: 10}}}}
            """, in: directory)
    }

    /// y = 30·a − 20·b + 500, in thousands of some unit: columns and y are standardised, the errors are in y's unit.
    static func table(in directory: TemporaryDirectory) throws {
        var (csv, libsvm) = ("a,b,price\n", "")
        for row in 0..<250 {
            let (a, b) = (Double(row * 37 % 101) / 10, Double(row * 53 % 97) / 10)
            let y = 30 * a - 20 * b + 500
            csv += "\(a),\(b),\(y)\n"
            libsvm += "\(y) 1:\(a) 2:\(b)\n"
        }
        try Data(csv.utf8).write(to: directory.file("t.csv"))
        try Data(libsvm.utf8).write(to: directory.file("t.svm"))
    }

    @Test(arguments: [
        "{csv: {train: t.csv, label: price, target: regression}}",
        "{libsvm: {train: t.svm, target: regression, standardise: true}}",
    ])
    func tablesTrain(data: String) throws {
        let directory = try TemporaryDirectory()
        try Self.table(in: directory)
        let config = try Self.config(
            data, training: "epochs: 40, targetNoise: {sigma: 0.01}, earlyStop: {metric: mae, patience: 40}",
            in: directory)
        let output = try PeoTool.run(["train", config, "--json", "--output", "run"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let result = output.json["result"] as? [String: Any]
        let test = result?["test"] as? [String: Any] ?? [:]
        let rmse = test["rmse"] as? Double ?? .infinity
        let mae = test["mae"] as? Double ?? .infinity
        // The deviation of y is about 106.
        #expect(rmse < 15 && mae < rmse && mae > 0, "\(output.all)")
        #expect(test["accuracy"] == nil && (test["loss"] as? Double ?? 1) < 0.02, "\(output.all)")
        let best = result?["best"] as? [String: Any] ?? [:]
        #expect(best["metric"] as? String == "mae" && best["mae"] as? Double ?? 99 <= mae, "\(output.all)")
        let metrics = try String(contentsOf: directory.file("run/metrics.jsonl"), encoding: .utf8)
        #expect(metrics.contains(#""rmse":"#) && !metrics.contains("accuracy"))
        let text = try PeoTool.run(["train", config, "--output", "again"], in: directory)
        #expect(text.stdout.contains("rmse") && !text.all.contains("accuracy"), "\(text.all)")
    }

    @Test(arguments: [
        ("loss: crossEntropy", "training.loss: is crossEntropy", "allowed: mse, mae"),
        (
            "earlyStop: {metric: accuracy, patience: 1}", "training.earlyStop.metric",
            "allowed: rmse, mae, loss"
        ),
        ("bestBy: perplexity", "training.bestBy: is perplexity", "allowed: rmse, mae, loss"),
        ("bestBy: mae, earlyStop: {metric: rmse, patience: 1}", "training.bestBy: is mae", "metric is rmse"),
        ("labelSmoothing: 0.1", "training.labelSmoothing: is 0.1", "targets are numbers"),
        ("labelNoise: {rate: 0.1}", "training.labelNoise", "allowed: targetNoise"),
        ("targetNoise: {sigma: -1}", "training.targetNoise", "is -1.0"),
    ])
    func whatDoesNotFitIsRefused(setting: String, path: String, words: String) throws {
        let directory = try TemporaryDirectory()
        try Self.table(in: directory)
        let config = try Self.config(
            "{csv: {train: t.csv, label: price, target: regression}}", training: "epochs: 1, \(setting)",
            in: directory)
        let output = try PeoTool.run(["train", config, "--output", "run"], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        #expect(output.stderr.contains(path) && output.stderr.contains(words), "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("run").path))
    }

    @Test func classesRefuseWhatIsForNumbers() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        for (setting, words) in [
            ("loss=mse", "training.loss: is mse, and the data's targets are classes; allowed: crossEntropy"),
            (
                "bestBy=rmse",
                "training.bestBy: is rmse, and the data's targets are classes; allowed: accuracy, loss"
            ),
            ("targetNoise={sigma: 1}", "training.targetNoise: is set"),
        ] {
            let output = try PeoTool.run(["train", config, "--set", "training.\(setting)"], in: directory)
            #expect(output.status == 65 && output.stderr.contains(words), "\(output.all)")
        }
    }

    @Test func aWordForANumberIsNamed() throws {
        let directory = try TemporaryDirectory()
        try Data("a,y\n1,2\n2,many\n3,1\n4,5\n".utf8).write(to: directory.file("t.csv"))
        let config = try Self.config("{csv: {train: t.csv, label: y, target: regression}}", in: directory)
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 65, "\(output.all)")
        #expect(
            output.stderr.contains("t.csv, line 3") && output.stderr.contains("the label is 'many'"),
            "\(output.all)")
    }
}
