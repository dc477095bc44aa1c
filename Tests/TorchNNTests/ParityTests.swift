import Foundation
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// Every layer and loss against PyTorch itself, on the same weights and inputs: outputs, the gradients of inputs
/// and weights, and what buffers become. PyTorch runs once for all cases and loads the weights with
/// `strict=True`, so that a wrong name fails too.
@Suite struct ParityTests {
    private static let script = """
        import sys, json, torch, torch.nn as nn, torch.nn.functional as F
        from safetensors.torch import load_file, save_file
        class First(nn.Module):
            # Of a recurrent layer, the outputs alone; under its names.
            def __init__(self, layer):
                super().__init__()
                self.layer = [layer]
                for name, parameter in layer.named_parameters(): self.register_parameter(name, parameter)
            def train(self, mode=True):
                self.layer[0].train(mode)
                return super().train(mode)
            def forward(self, x): return self.layer[0](x)[0]
        class Attention(nn.MultiheadAttention):
            def __init__(self, width, heads, causal):
                super().__init__(width, heads, batch_first=True)
                self.causal = causal
            def forward(self, x):
                mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
                return super().forward(x, x, x, need_weights=False, attn_mask=mask, is_causal=self.causal)[0]
        class Conv1D(nn.Module):
            def __init__(self, inputs, outputs):
                super().__init__()
                self.weight = nn.Parameter(torch.empty(inputs, outputs))
                self.bias = nn.Parameter(torch.empty(outputs))
            def forward(self, x): return x @ self.weight + self.bias
        folder = sys.argv[1]
        for case in json.load(open(folder + "/cases.json")):
            given = load_file(f"{folder}/{case['name']}.safetensors")
            module = eval(case["python"]).train(case["training"])
            state = {k[6:]: v for k, v in given.items() if k.startswith("state.")}
            assert list(module.state_dict()) == case["keys"], (case["name"], list(module.state_dict()))
            module.load_state_dict(state, strict=True)
            x, t = given["input"], given.get("target")
            if x.is_floating_point(): x.requires_grad_()
            y = module(x)
            value = eval(case["loss"]) if case["loss"] else (y * given["cotangent"]).sum()
            value.backward()
            result = {"output": y.detach(), "value": value.detach()}
            if x.grad is not None: result["gradient.input"] = x.grad
            for k, p in module.named_parameters(): result["gradient." + k] = p.grad
            for k, b in module.named_buffers(): result["buffer." + k] = b
            save_file({k: v.contiguous() for k, v in result.items()}, f"{folder}/{case['name']}.result")
        """

    @Test func layersAndLossesEqualPyTorchs() throws {
        let directory = try TemporaryDirectory()
        let cases = try ParityCase.all()
        var listing: [[String: Any]] = []
        var cotangents: [Tensor] = []
        for (index, item) in cases.enumerated() {
            listing.append([
                "name": item.name, "python": item.python, "training": item.training,
                "loss": item.loss?.python ?? "", "keys": item.module.stateTensors.map(\.name),
            ])
            // A plain sum would not see errors that cancel out: weigh each output differently. The evaluation
            // context leaves buffers alone.
            let shape = withoutGradients { item.module.forward(item.input, .evaluation).shape }
            cotangents.append(try Tensor.normal(shape, seed: UInt64(100 + index)))
            var sources = item.module.stateSources(prefix: "state.")
            sources += [TensorSource("input", item.input), TensorSource("cotangent", cotangents[index])]
            if let target = item.loss?.target { sources.append(TensorSource("target", target)) }
            try SafetensorsFile.write(sources, to: directory.file("\(item.name).safetensors"))
        }
        try JSONSerialization.data(withJSONObject: listing).write(to: directory.file("cases.json"))
        _ = try ParityPython.run(Self.script, directory.url.path)

        for (item, cotangent) in zip(cases, cotangents) {
            let expected = try SafetensorsFile(contentsOf: directory.file("\(item.name).result"))
            let input = item.input.cloned()
            if input.dtype.isFloatingPoint { input.requiringGradient() }
            let output = item.module.forward(input, ForwardContext(training: item.training, seed: 1))
            let value = item.loss.map { $0.function(output, $0.target) } ?? (output * cotangent).sum()
            try value.backward()

            var actual = [NamedTensor("output", output), NamedTensor("value", value)]
            if let gradient = input.gradient { actual.append(NamedTensor("gradient.input", gradient)) }
            for parameter in item.module.parameters {
                let gradient = try #require(parameter.tensor.gradient, "\(item.name): \(parameter.name)")
                actual.append(NamedTensor("gradient." + parameter.name, gradient))
            }
            actual += item.module.buffers.map { NamedTensor("buffer." + $0.name, $0.tensor) }
            #expect(Set(actual.map(\.name)) == Set(expected.tensors.map(\.name)), "\(item.name)")
            for tensor in actual {
                let entry = try expected.tensor(tensor.name, shape: tensor.tensor.shape).tensor()
                let error = difference(tensor.tensor, entry)
                #expect(error < 1e-5, "\(item.name): \(tensor.name) differs by \(error)")
            }
        }
    }

    /// The largest |a − b| / (1 + |b|); NaN counts as infinite.
    private func difference(_ a: Tensor, _ b: Tensor) -> Double {
        withoutGradients {
            let (a, b) = (a.converted(to: .float64), b.converted(to: .float64))
            let error = ((a - b).absolute() / (b.absolute() + 1)).max().item()
            return error.isNaN ? .infinity : error
        }
    }
}
