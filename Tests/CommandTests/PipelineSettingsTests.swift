import Foundation
import Safetensors
import TestSupport
import Testing

/// Means of weights, precision and devices, as a configuration writes them.
@Suite struct PipelineSettingsTests {
    private static func train(_ settings: [String], in directory: TemporaryDirectory) throws -> PeoTool.Output
    {
        let config = try PeoTool.config(
            PeoTool.smallConfig.replacingOccurrences(
                of: "hidden: [16]", with: "hidden: [16], batchNorm: true"),
            in: directory)
        return try PeoTool.run(
            ["train", config, "--json", "--output", "run"] + settings.flatMap { ["--set", $0] }, in: directory
        )
    }

    @Test(arguments: ["{ema: 0.9}", "{swa: {from: 20, every: 5}}"])
    func aMeanOfTheWeightsIsSaved(average: String) throws {
        let directory = try TemporaryDirectory()
        let output = try Self.train(
            ["training.average=\(average)", "training.precision=bfloat16"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let test = (output.json["result"] as? [String: Any])?["test"] as? [String: Any]
        #expect(test?["accuracy"] as? Double ?? 0 > 0.5, "\(output.all)")
        let config = try String(contentsOf: directory.file("run/config.yaml"), encoding: .utf8)
        #expect(config.contains("average:") && config.contains("precision: bfloat16"), "\(config)")
    }

    @Test func weightsOfBFloat16AreTrainedSavedAndMeasured() throws {
        let directory = try TemporaryDirectory()
        let output = try Self.train(["training.weights=bfloat16", "rounding=nearest"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let test = (output.json["result"] as? [String: Any])?["test"] as? [String: Any]
        #expect(test?["accuracy"] as? Double ?? 0 > 0.5, "\(output.all)")
        let file = try SafetensorsFile(contentsOf: directory.file("run/model.safetensors"))
        #expect(file.tensors.contains { $0.type == .bfloat16 })
        let evaluated = try PeoTool.run(["evaluate", "run", "--only", "quality"], in: directory)
        #expect(evaluated.status == 0, "\(evaluated.all)")
    }

    @Test func aRoundingOfNothingIsRefused() throws {
        let directory = try TemporaryDirectory()
        let output = try Self.train(["rounding=nearest"], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        #expect(output.stdout.contains("rounding: is nearest, but no parameter is bfloat16"), "\(output.all)")
    }

    @Test(arguments: [
        ("device=cuda:99", "training.device: is 'cuda:99', and this libtorch (", "allowed here: cpu"),
        ("device=gpu", "training.device: is 'gpu'", "allowed: cpu, cuda"),
        ("average={swa: {from: 40}}", "training.average.swa.from: is 40", "the run's 40"),
        ("average={ema: 2}", "training.average", "is 2.0; allowed: more than 0, less than 1"),
        ("average={ema: 0.9, swa: {from: 1}}", "training.average", "give one of 'ema' and 'swa'"),
        ("weights=float16", "training.weights", "float32, bfloat16"),
        ("precision=float16", "training.precision", "float32, bfloat16"),
    ])
    func wrongSettingsAreRefused(setting: String, words: String, allowed: String) throws {
        let directory = try TemporaryDirectory()
        let output = try Self.train(["training.\(setting)"], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        #expect(output.stdout.contains(words) && output.stdout.contains(allowed), "\(output.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("run").path))
    }

    /// A libtorch says what it is built for, since another may see the device.
    @Test func aDeviceThatIsNotThereIsExplained() throws {
        let directory = try TemporaryDirectory()
        let run = try Self.train(["training.device=cuda:99"], in: directory)
        let bench = try PeoTool.run(["bench", "training", "mlp", "--device", "cuda:99"], in: directory)
        let wrong = try PeoTool.run(["bench", "training", "mlp", "--device", "gpu"], in: directory)
        #expect(run.status == 65 && bench.status == 64 && wrong.status == 64, "\(bench.all) \(wrong.all)")
        for output in [run, bench] { #expect(output.all.contains(", built "), "\(output.all)") }
        #expect(bench.all.contains("--device is cuda:99") && wrong.all.contains("'gpu'; allowed: cpu, cuda"))
    }
}
