import Foundation
import Models
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// Adapters of a GPT-2 against Hugging Face's PEFT.
@Suite struct LoRATests {
    private static let lora = LoRA(rank: 3, alpha: 6, targets: ["attn.c_attn", "mlp.c_proj"])

    private func tokens() throws -> Tensor { try Tensor(GPT2Tests.tokens, shape: [4, 6]) }

    @Test func itStartsAsTheBaseAndTrainsTheAdaptersAlone() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.url)
        var settings = GPT2(directory: directory.url.path)
        let base = try settings.build(for: GPT2Tests.text, seed: 1)
        settings.lora = Self.lora
        let model = try settings.build(for: GPT2Tests.text, seed: 1)
        #expect(
            model.parameters.map(\.name)
                == (0..<2).flatMap { layer in
                    ["attn.c_attn", "mlp.c_proj"].flatMap { target in
                        ["A", "B"].map { "h.\(layer).\(target).lora_\($0).weight" }
                    }
                })
        #expect(model.parameters.map(\.tensor.shape).prefix(4) == [[3, 8], [24, 3], [3, 32], [8, 3]])
        // What is not trained is in the base's own file.
        #expect(model.stateTensors.count == model.parameters.count)
        let scores = model.forward(try tokens(), .evaluation)
        #expect(
            try scores.detached().array(of: Float.self)
                == base.forward(tokens(), .evaluation).detached().array(of: Float.self))
        // PEFT's kaiming_uniform_(a = √5): U(−1/√n, 1/√n), at an address of its own for each.
        var draws = Set<[Float]>()
        for item in model.parameters where item.name.hasSuffix("lora_A.weight") {
            let values = try item.tensor.detached().array(of: Float.self)
            let bound = 1 / Float(item.tensor.size(1)).squareRoot()
            let largest = values.map(abs).max()!
            #expect(largest <= bound && largest > 0.8 * bound)
            draws.insert(Array(values.prefix(8)))
        }
        #expect(draws.count == 4)
        try scores.sum().backward()
        #expect(model.parameters.allSatisfy { $0.tensor.gradient != nil })
        // Dropout is of training alone, and follows the seed.
        settings.lora?.dropout = 0.5
        settings.dropout = 0
        let dropping = try settings.build(for: GPT2Tests.text, seed: 1)
        for item in dropping.parameters { try item.tensor.fillNormal(mean: 0, deviation: 0.5, seed: 1) }
        func trained(_ seed: UInt64) throws -> [Float] {
            try dropping.forward(tokens(), ForwardContext(training: true, seed: seed)).detached()
                .array(of: Float.self)
        }
        #expect(try trained(1) == trained(1) && trained(1) != trained(2))
    }

    /// Scores and gradients are those of PEFT's model with the exported adapters; the merged directory has the same scores.
    @Test func equalsPEFTAndMerges() throws {
        let directory = try TemporaryDirectory()
        let source = directory.file("source")
        try TinyGPT2.make(at: source)
        let model = try #require(
            try GPT2(directory: source.path, lora: Self.lora).build(for: GPT2Tests.text, seed: 1)
                as? any ExportableModule)
        for (index, item) in model.parameters.enumerated() {
            try item.tensor.fillNormal(mean: 0, deviation: 0.3, seed: UInt64(index))
        }
        let place = directory.file("model")
        try model.export(to: place)
        _ = try HuggingFacePython.run(
            """
            import sys, torch, torch.nn.functional as F
            from peft import PeftModel
            from safetensors.torch import save_file
            from transformers import AutoModelForCausalLM
            source, place = sys.argv[1:]
            tokens = torch.tensor([(i * i + 3) % 23 for i in range(24)]).view(4, 6)
            targets = torch.tensor([-100 if i % 5 == 0 else i * 7 % 23 for i in range(24)])
            model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(source), place + "/adapter", is_trainable=True)
            y = model.eval()(tokens).logits
            F.cross_entropy(y.flatten(0, 1), targets).backward()
            clean = lambda k: k.removeprefix("base_model.model.transformer.").replace(".default", "")
            out = {clean(k): p.grad.contiguous() for k, p in model.named_parameters() if p.grad is not None}
            merged = AutoModelForCausalLM.from_pretrained(place).eval()
            save_file(out | {"scores": y.detach(), "merged": merged(tokens).logits.detach()}, place + "/expected")
            """, source.path, place.path)
        let expected = try SafetensorsFile(contentsOf: place.appendingPathComponent("expected"))
        let scores = model.forward(try tokens(), .evaluation)
        let targets = try Tensor((0..<24).map { $0 % 5 == 0 ? -100 : $0 * 7 % 23 }, shape: [4, 6])
        try Loss.crossEntropy()(scores, targets).backward()
        var actual = [NamedTensor("scores", scores.detached()), NamedTensor("merged", scores.detached())]
        for item in model.parameters {
            actual.append(NamedTensor(item.name, try #require(item.tensor.gradient)))
        }
        #expect(Set(actual.map(\.name)) == Set(expected.tensors.map(\.name)))
        for item in actual {
            let other = try expected.tensor(item.name, shape: item.tensor.shape).tensor()
            let error = GPT2Tests.differ(item.tensor, other)
            #expect(error < 1e-5, "\(item.name) differs by \(error)")
        }
    }

    @Test(arguments: [
        (#"{"targets": ["attn.c_atn"]}"#, "no projection 'attn.c_atn'; allowed: attn.c_attn, attn.c_proj"),
        (#"{"targets": []}"#, "targets is []"), (#"{"targets": ["mlp.c_fc", "mlp.c_fc"]}"#, "once"),
        (#"{"rank": 0}"#, "rank has the number 0"), (#"{"alpha": 0}"#, "alpha is 0"),
        (#"{"dropout": 1}"#, "dropout is 1"),
    ])
    func badSettingsNameTheCulprit(json: String, words: String) {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LoRA.self, from: Data(json.utf8))
        }
        #expect("\(error!)".contains(words), "\(error!)")
    }
}
