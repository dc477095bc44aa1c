import Datasets
import Foundation
import Models
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// Directories of GPT-2 against Hugging Face's `transformers`.
@Suite struct GPT2Tests {
    static let text = ExampleKind(.tokens(vocabulary: 23, length: 6), .classPerToken(of: 23))
    static let tokens = (0..<24).map { ($0 * $0 + 3) % 23 }

    /// Scores of `tokens`, and the gradients of a loss of them.
    static let scores = """
        tokens = torch.tensor([(i * i + 3) % 23 for i in range(24)]).view(4, 6)
        targets = torch.tensor([-100 if i % 5 == 0 else i * 7 % 23 for i in range(24)])
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        y = model(tokens).logits
        F.cross_entropy(y.flatten(0, 1), targets).backward()
        out = {"scores": y.detach()} | {"gradient." + k.removeprefix("transformer."): p.grad.contiguous()
            for k, p in model.named_parameters()}
        save_file(out, folder + "/expected")
        """

    static func differ(_ a: Tensor, _ b: Tensor) -> Double {
        ((a - b).absolute() / (b.absolute() + 1)).max().item()
    }

    @Test(arguments: [
        ("", "model.save_pretrained(folder)"),
        (
            "n_inner=24, activation_function='relu', layer_norm_epsilon=1e-3, tie_word_embeddings=False",
            "model.save_pretrained(folder)"
        ),
        ("activation_function='gelu'", "model.to(torch.float16).save_pretrained(folder)"),
        ("n_head=4", "model.to(torch.bfloat16).save_pretrained(folder)"),
        ("", "model.save_pretrained(folder, max_shard_size='2KB')"),
        // As OpenAI's own upload: no prefix, and the masks among the weights.
        (
            "",
            """
            model.save_pretrained(folder)
            state = {k.removeprefix("transformer."): v for k, v in load_file(folder + "/model.safetensors").items()}
            for i in range(2): state |= {f"h.{i}.attn.bias": torch.ones(1, 1, 16, 16), f"h.{i}.attn.masked_bias": torch.tensor(-1e4)}
            save_file(state, folder + "/model.safetensors", {"format": "pt"})
            """
        ),
    ])
    func equalsTransformers(settings: String, saving: String) throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.url, settings, saving: saving, then: Self.scores)
        if saving.contains("2KB") {
            #expect(try directory.names().contains("model.safetensors.index.json"))
        }
        let expected = try SafetensorsFile(contentsOf: directory.file("expected"))
        let model = try GPT2(directory: directory.url.path).build(for: Self.text, seed: 1)
        let scores = model.forward(try Tensor(Self.tokens, shape: [4, 6]), .evaluation)
        let targets = try Tensor((0..<24).map { $0 % 5 == 0 ? -100 : $0 * 7 % 23 }, shape: [4, 6])
        try Loss.crossEntropy()(scores, targets).backward()
        var actual = [NamedTensor("scores", scores.detached())]
        for item in model.parameters {
            actual.append(NamedTensor("gradient." + item.name, try #require(item.tensor.gradient)))
        }
        #expect(Set(actual.map(\.name)) == Set(expected.tensors.map(\.name)))
        for item in actual {
            let other = try expected.tensor(item.name, shape: item.tensor.shape).tensor()
            let error = Self.differ(item.tensor, other)
            #expect(error < 1e-5, "\(item.name) differs by \(error)")
        }
    }

    /// What is trained here, `transformers` loads, and it gives the same scores.
    @Test(arguments: ["", "tie_word_embeddings=False, dtype='float16'"])
    func itGoesBack(settings: String) throws {
        let directory = try TemporaryDirectory()
        let source = directory.file("source")
        try TinyGPT2.make(at: source, settings)
        try Data("{}".utf8).write(to: source.appendingPathComponent("vocab.json"))
        let model = try #require(
            try GPT2(directory: source.path).build(for: Self.text, seed: 1) as? any ExportableModule)
        for (index, item) in model.parameters.enumerated() {
            try item.tensor.fillNormal(mean: 0, deviation: 0.5, seed: UInt64(index))
        }
        // A second time takes the place of the first.
        let place = directory.file(model.exportName)
        for _ in 0..<2 { try model.export(to: place) }
        #expect(try directory.names() == ["model", "source"])
        func bytes(_ folder: URL, _ name: String) throws -> Data {
            try Data(contentsOf: folder.appendingPathComponent(name))
        }
        let unchanged = ["vocab.json", "generation_config.json"] + (settings.isEmpty ? ["config.json"] : [])
        for name in unchanged { #expect(try bytes(place, name) == bytes(source, name), "\(name)") }
        _ = try HuggingFacePython.run(
            """
            import sys, torch
            from safetensors.torch import save_file
            from transformers import AutoModelForCausalLM
            folder = sys.argv[1]
            model, loading = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
            assert model.dtype == torch.float32, model.dtype
            assert not any(loading[k] for k in ["missing_keys", "unexpected_keys", "mismatched_keys"]), loading
            tokens = torch.tensor([(i * i + 3) % 23 for i in range(24)]).view(4, 6)
            save_file({"scores": model.eval()(tokens).logits.detach()}, folder + "/expected")
            """, place.path)
        let expected = try SafetensorsFile(contentsOf: place.appendingPathComponent("expected"))
        let scores = withoutGradients {
            model.forward(try! Tensor(Self.tokens, shape: [4, 6]), .evaluation)
        }
        #expect(Self.differ(scores, try expected.tensor("scores").tensor()) < 1e-5)
    }

    @Test func whatIsNotSupportedIsRefusedByName() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.url)
        let url = directory.file("config.json")
        let own = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        for (key, value, words) in [
            ("model_type", "llama", "model_type is llama; allowed: gpt2"),
            ("scale_attn_weights", false, "scale_attn_weights is false; allowed: true"),
            ("scale_attn_by_inverse_layer_idx", true, "allowed: false"),
            ("add_cross_attention", true, "allowed: false"),
            ("activation_function", "mish", "activation_function is mish; allowed: gelu_new"),
            ("n_embd", 7, "n_head is 2; allowed: a divisor of n_embd, which is 7"),
            ("n_layer", -1, "n_layer is -1; allowed: a whole number from 1"),
            ("n_layer", "two", "n_layer is two"),
            ("attn_pdrop", 1.5, "attn_pdrop is 1.5"),
            ("quantization_config", ["bits": 4], "quantization_config"),
            ("n_layer", 3, "no tensor 'h.2.ln_1.weight' (or 'transformer.h.2.ln_1.weight')"),
            ("n_layer", 1, "a tensor 'h.1."),
            (
                "vocab_size", 24,
                "tensor 'transformer.wte.weight' has shape [23, 8], but config.json asks for [24, 8]"
            ),
            ("vocab_size", 22, "the data have 23 tokens"), ("n_positions", 5, "sequences have 6 tokens"),
        ] as [(String, Any, String)] {
            var changed = own
            changed[key] = value
            try JSONSerialization.data(withJSONObject: changed).write(to: url)
            let error = #expect(throws: ModelError.self, "\(key)") {
                try GPT2(directory: directory.url.path).build(for: Self.text, seed: 1)
            }
            #expect(error?.message.contains(words) == true, "\(key): \(error?.message ?? "")")
        }
        try Data("[1]".utf8).write(to: url)
        #expect(throws: ModelError.self) {
            try GPT2(directory: directory.url.path).build(for: Self.text, seed: 1)
        }
    }

    @Test func aBaseThatChangedIsRefused() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(at: directory.url)
        let model = GPT2(directory: directory.url.path).resolved()
        #expect(model.sha256.count == 64)
        _ = try model.build(for: Self.text, seed: 1)
        let weights = directory.file("model.safetensors")
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: weights)
        let error = #expect(throws: ModelError.self) { try model.build(for: Self.text, seed: 1) }
        #expect(error?.message.contains("they have changed") == true)
    }
}
