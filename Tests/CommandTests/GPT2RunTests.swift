import Foundation
import Safetensors
import TestSupport
import Testing

/// `peo train` on a directory of GPT-2.
@Suite struct GPT2RunTests {
    private static let config = """
        model: {gpt2: {directory: elsewhere, dropout: 0.1, neftune: 1}}
        data: {copy: {symbols: 5, length: 3}}
        training: {steps: 60, batchSize: 32, seed: 3, threads: 1, checkpointEvery: {steps: 20}, evaluateEvery: {steps: 30}}
        rule: {adam: {learningRate: 0.01}}
        perturbation:
          - gaussian: {sigma: 0.001}
        """

    /// The test losses of a run, in their order.
    private func losses(_ run: URL) throws -> [Double] {
        try String(contentsOf: run.appendingPathComponent("metrics.jsonl"), encoding: .utf8)
            .split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            }.filter { $0["kind"] as? String == "test" }.compactMap { $0["loss"] as? Double }
    }

    /// Starts the run again, kills it once it has a checkpoint, and goes on with it.
    private func cutAndResume(_ arguments: [String], in directory: TemporaryDirectory) throws {
        let half = try PeoTool.run(
            ["train"] + arguments + ["-o", "cut"], in: directory,
            while: { process in
                let mark = directory.file("cut/checkpoints").path
                while process.isRunning {
                    if let names = try? FileManager.default.contentsOfDirectory(atPath: mark), !names.isEmpty
                    {
                        break
                    }
                    usleep(2000)
                }
                kill(process.processIdentifier, SIGKILL)
            })
        if half.wasSignalled {
            let resumed = try PeoTool.run(["train", "--resume", "cut"], in: directory)
            #expect(resumed.status == 0, "\(resumed.all)")
        }
    }

    @Test func aRunResumesAndItsModelGoesBack() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.file("my gpt2"))
        let config = try PeoTool.config(Self.config, in: directory)
        let output = try PeoTool.run(["train", config, "--model", "my gpt2", "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let resolved = try String(contentsOf: directory.file("runs/test/config.yaml"), encoding: .utf8)
        for words in ["sha256: ", "neftune: 1", "/my gpt2"] {
            #expect(resolved.contains(words), "\(resolved)")
        }
        let losses = try losses(directory.file("runs/test"))
        #expect(losses.count == 2 && losses[1] < losses[0], "\(losses)")
        _ = try HuggingFacePython.run(
            """
            import sys, torch
            from safetensors.torch import load_file
            from transformers import AutoModelForCausalLM
            weights = load_file(sys.argv[1] + "/model.safetensors")
            state = AutoModelForCausalLM.from_pretrained(sys.argv[1] + "/model").state_dict()
            assert all(torch.equal(state["transformer." + k], v) for k, v in weights.items())
            """, directory.file("runs/test").path)

        try cutAndResume([config, "--model", "my gpt2"], in: directory)
        #expect(
            try Data(contentsOf: directory.file("cut/model/model.safetensors"))
                == Data(contentsOf: directory.file("runs/test/model/model.safetensors")))
    }

    /// Adapters alone are in the checkpoints; their base must be the one that the run began with.
    @Test func aRunOfAdaptersResumesOnItsBaseAlone() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.file("elsewhere"))
        let config = try PeoTool.config(
            Self.config.replacing("neftune: 1", with: "lora: {rank: 2, dropout: 0.1}"), in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        // Two layers, of A [2, 8] and B [24, 2] each.
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        #expect(result["parameters"] as? Int == 2 * (16 + 48))
        let losses = try losses(directory.file("runs/test"))
        #expect(losses.count == 2 && losses[1] < losses[0], "\(losses)")
        let checkpoint = try SafetensorsFile(
            contentsOf: directory.file("runs/test/checkpoints/step-000000060.safetensors"))
        #expect(
            checkpoint.tensors.allSatisfy { $0.name.contains("lora_") }, "\(checkpoint.tensors.map(\.name))")
        try cutAndResume([config], in: directory)
        for name in ["model/model.safetensors", "model/adapter/adapter_model.safetensors"] {
            #expect(
                try Data(contentsOf: directory.file("cut/\(name)"))
                    == Data(contentsOf: directory.file("runs/test/\(name)")), "\(name)")
        }

        try FileManager.default.removeItem(at: directory.file("cut/result.json"))
        let weights = directory.file("elsewhere/model.safetensors")
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: weights)
        let refused = try PeoTool.run(["train", "--resume", "cut"], in: directory)
        #expect(refused.status == 65 && refused.stderr.contains("they have changed"), "\(refused.all)")
    }

    /// The base and the adapters in bfloat16: the loss falls, a resumed run has the same bits, and what goes back is float32.
    @Test func adaptersOfBFloat16() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.file("elsewhere"))
        let config = try PeoTool.config(
            Self.config.replacing("neftune: 1", with: "lora: {rank: 2, dropout: 0.1}")
                .replacing("threads: 1", with: "threads: 1, weights: bfloat16, precision: bfloat16"),
            in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let losses = try losses(directory.file("runs/test"))
        #expect(losses.count == 2 && losses[1] < losses[0], "\(losses)")
        let checkpoint = try SafetensorsFile(
            contentsOf: directory.file("runs/test/checkpoints/step-000000060.safetensors"))
        #expect(checkpoint.tensors.filter { $0.name.hasPrefix("model.") }.allSatisfy { $0.type == .bfloat16 })
        let back = try SafetensorsFile(contentsOf: directory.file("runs/test/model/model.safetensors"))
        #expect(back.tensors.allSatisfy { $0.type == .float32 })
        try cutAndResume([config], in: directory)
        let name = "model/model.safetensors"
        #expect(
            try Data(contentsOf: directory.file("cut/\(name)"))
                == Data(contentsOf: directory.file("runs/test/\(name)")))
    }

    /// All weights and adapters alone, each way of perturbing: the loss falls.
    @Test(
        arguments: ["", ", lora: {rank: 4}"],
        [
            ("gaussian", "perturbation: [{gaussian: {sigma: 0.001}}]", 1, 0),
            ("sam", "parameterPerturbation: {sam: {rho: 0.02}}", 2, 0),
            ("mezo", "parameterPerturbation: {mezo: {epsilon: 0.001}}", 0, 2),
        ])
    func theLossFalls(lora: String, way: (name: String, yaml: String, gradients: Int, losses: Int)) throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.file("base"))
        let steps = way.name == "mezo" ? 300 : 40
        let config = try PeoTool.config(
            """
            model: {gpt2: {directory: base, dropout: 0, neftune: 1\(lora)}}
            data: {copy: {symbols: 5, length: 3, test: 200}}
            training: {steps: \(steps), batchSize: 32, seed: 3, threads: 1, evaluateEvery: {steps: 1}}
            rule: {adam: {learningRate: 0.01}}
            \(way.yaml)
            """, in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        // MeZO asks for no gradient at all.
        #expect(result["gradientEvaluations"] as? Int == way.gradients * steps)
        #expect(result["lossEvaluations"] as? Int == way.losses * steps)
        let losses = try losses(directory.file("runs/test"))
        // Adapters of the attention alone can learn a part of the task.
        #expect(losses.last! < 0.95 * losses.first!, "\(losses.first!) to \(losses.last!)")
    }

    @Test func aDirectoryThatIsNoneIsNamed() throws {
        let directory = try TemporaryDirectory()
        let config = try PeoTool.config(Self.config, in: directory)
        let missing = try PeoTool.run(["train", config], in: directory)
        #expect(missing.status == 66 && missing.stderr.contains("elsewhere/config.json"), "\(missing.all)")
        try FileManager.default.createDirectory(
            at: directory.file("elsewhere"), withIntermediateDirectories: true)
        try Data(#"{"model_type": "gpt_neo"}"#.utf8).write(to: directory.file("elsewhere/config.json"))
        let foreign = try PeoTool.run(["train", config], in: directory)
        #expect(foreign.status == 65 && foreign.stderr.contains("model_type is gpt_neo"), "\(foreign.all)")
    }
}
