import Foundation
import Models
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// The networks for images against plain PyTorch modules with torchvision's names, on the same weights: scores,
/// every gradient, and the running statistics.
@Suite struct VisionParityTests {
    private static let script = """
        import sys, json, torch, torch.nn as nn, torch.nn.functional as F
        from safetensors.torch import load_file, save_file
        class Block(nn.Module):
            def __init__(self, i, o, stride, large):
                super().__init__()
                self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False); self.bn1 = nn.BatchNorm2d(o)
                self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(o)
                self.stride, self.more = stride, o - i
                if large and (stride > 1 or i != o):
                    self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
                else: self.downsample = None
            def forward(self, x):
                y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
                if self.downsample is not None: x = self.downsample(x)
                elif self.more or self.stride > 1:
                    x = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2))
                return F.relu(y + x)
        class ResNet(nn.Module):
            def __init__(self, channels, width, blocks, classes):
                super().__init__()
                self.large = len(blocks) == 4
                self.conv1 = nn.Conv2d(channels, width, *((7, 2, 3) if self.large else (3, 1, 1)), bias=False)
                self.bn1 = nn.BatchNorm2d(width)
                self.count, i = len(blocks), width
                for s, n in enumerate(blocks):
                    o, list = width << s, []
                    for b in range(n):
                        list.append(Block(i, o, 2 if s and not b else 1, self.large)); i = o
                    setattr(self, f"layer{s + 1}", nn.Sequential(*list))
                self.fc = nn.Linear(i, classes)
            def forward(self, x):
                x = F.relu(self.bn1(self.conv1(x)))
                if self.large: x = F.max_pool2d(x, 3, 2, 1)
                for s in range(self.count): x = getattr(self, f"layer{s + 1}")(x)
                return self.fc(x.mean((2, 3)))
        class Layer(nn.Module):
            def __init__(self, width, heads, hidden):
                super().__init__()
                self.ln_1 = nn.LayerNorm(width, eps=1e-6)
                self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
                self.ln_2 = nn.LayerNorm(width, eps=1e-6)
                self.mlp = nn.Sequential(
                    nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0), nn.Linear(hidden, width), nn.Dropout(0))
            def forward(self, x):
                y = self.ln_1(x)
                x = x + self.self_attention(y, y, y, need_weights=False)[0]
                return x + self.mlp(self.ln_2(x))
        class ViT(nn.Module):
            def __init__(self, channels, size, patch, width, layers, heads, hidden, classes):
                super().__init__()
                self.class_token = nn.Parameter(torch.zeros(1, 1, width))
                self.conv_proj = nn.Conv2d(channels, width, patch, patch)
                self.encoder = nn.Module()
                self.encoder.pos_embedding = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, width))
                self.encoder.layers = nn.Sequential()
                for n in range(layers):
                    self.encoder.layers.add_module(f"encoder_layer_{n}", Layer(width, heads, hidden))
                self.encoder.ln = nn.LayerNorm(width, eps=1e-6)
                self.heads = nn.Sequential(); self.heads.add_module("head", nn.Linear(width, classes))
            def forward(self, x):
                x = self.conv_proj(x).flatten(2).transpose(1, 2)
                x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + self.encoder.pos_embedding
                return self.heads(self.encoder.ln(self.encoder.layers(x))[:, 0])
        folder = sys.argv[1]
        for case in json.load(open(folder + "/cases.json")):
            given = load_file(f"{folder}/{case['name']}.safetensors")
            module = eval(case["python"]).train(case["training"])
            state = {k[6:]: v for k, v in given.items() if k.startswith("state.")}
            assert list(module.state_dict()) == case["keys"], (case["keys"], list(module.state_dict()))
            module.load_state_dict(state, strict=True)
            scores = module(given["input"])
            F.cross_entropy(scores, given["labels"]).backward()
            result = {"scores": scores.detach()}
            for k, p in module.named_parameters(): result["gradient." + k] = p.grad
            for k, b in module.named_buffers(): result["buffer." + k] = b
            save_file({k: v.contiguous() for k, v in result.items()}, f"{folder}/{case['name']}.result")
        """

    private struct Case {
        var name: String
        var architecture: any ModelArchitecture
        var python: String
        var input: [Int]
        var training = true
    }

    private static let cases = [
        Case(
            name: "resnet20", architecture: ResNet(layers: 20, width: 4),
            python: "ResNet(3, 4, [3, 3, 3], 5)", input: [3, 16, 16]),
        Case(
            name: "resnet20-evaluation", architecture: ResNet(layers: 20, width: 6),
            python: "ResNet(1, 6, [3, 3, 3], 5)", input: [1, 15, 13], training: false),
        Case(
            name: "resnet32", architecture: ResNet(layers: 32), python: "ResNet(3, 16, [5, 5, 5], 5)",
            input: [3, 8, 8]),
        Case(
            name: "resnet18", architecture: ResNet(layers: 18, width: 8),
            python: "ResNet(3, 8, [2, 2, 2, 2], 5)", input: [3, 64, 64]),
        Case(
            name: "vit", architecture: ViT(patch: 4, width: 24, layers: 3, heads: 3, hidden: 40),
            python: "ViT(3, 16, 4, 24, 3, 3, 40, 5)", input: [3, 16, 16]),
    ]

    @Test func theNetworksEqualPyTorchs() throws {
        let directory = try TemporaryDirectory()
        var listing: [[String: Any]] = []
        var modules: [any Module] = []
        var inputs: [Tensor] = []
        let labels = try Tensor([0, 4, 2, 1, 3, 3] as [Int])
        for (index, item) in Self.cases.enumerated() {
            let module = try item.architecture.build(
                input: item.input, classes: 5, seed: UInt64(index))
            // What starts at 0 or 1 would hide mistakes.
            for (place, parameter) in module.parameters.enumerated() where parameter.tensor.rank == 1 {
                withoutGradients {
                    parameter.tensor.addInPlace(
                        try! .normal(parameter.tensor.shape, deviation: 0.1, seed: UInt64(place)))
                }
            }
            for name in ["class_token", "heads.head.weight"] {
                for parameter in module.parameters where parameter.name == name {
                    try parameter.tensor.fillNormal(mean: 0, deviation: 0.2, seed: 5)
                }
            }
            listing.append([
                "name": item.name, "python": item.python, "training": item.training,
                "keys": module.stateTensors.map(\.name),
            ])
            inputs.append(try .normal([6] + item.input, seed: UInt64(100 + index)))
            try SafetensorsFile.write(
                module.stateSources(prefix: "state.") + [
                    TensorSource("input", inputs[index]), TensorSource("labels", labels),
                ], to: directory.file("\(item.name).safetensors"))
            modules.append(module)
        }
        try JSONSerialization.data(withJSONObject: listing).write(to: directory.file("cases.json"))
        _ = try ParityPython.run(Self.script, directory.url.path)

        for (index, item) in Self.cases.enumerated() {
            let expected = try SafetensorsFile(contentsOf: directory.file("\(item.name).result"))
            let module = modules[index]
            let scores = module.forward(inputs[index], ForwardContext(training: item.training, seed: 1))
            try scores.crossEntropy(labels).backward()
            var actual = [NamedTensor("scores", scores.detached())]
            for parameter in module.parameters {
                let gradient = try #require(parameter.tensor.gradient, "\(item.name): \(parameter.name)")
                actual.append(NamedTensor("gradient." + parameter.name, gradient))
            }
            actual += module.buffers.map { NamedTensor("buffer." + $0.name, $0.tensor) }
            #expect(Set(actual.map(\.name)) == Set(expected.tensors.map(\.name)), "\(item.name)")
            for tensor in actual {
                let entry = try expected.tensor(tensor.name, shape: tensor.tensor.shape).tensor()
                let error =
                    ((tensor.tensor.converted(to: .float64) - entry.converted(to: .float64))
                    .absolute() / (entry.converted(to: .float64).absolute() + 1)).max().item()
                #expect(error < 1e-4, "\(item.name): \(tensor.name) differs by \(error)")
            }
        }
    }

    @Test func theNetworksHaveTheirPublishedSizes() throws {
        func count(_ model: any ModelArchitecture, _ input: [Int], _ classes: Int) throws -> Int {
            try model.build(input: input, classes: classes, seed: 1).parameterCount
        }
        #expect(try count(ResNet(layers: 20), [3, 32, 32], 10) == 269_722)
        #expect(try count(ResNet(layers: 32), [3, 32, 32], 10) == 464_154)
        #expect(try count(ResNet(layers: 18), [3, 224, 224], 1000) == 11_689_512)
        #expect(try count(ResNet(layers: 34), [3, 224, 224], 1000) == 21_797_672)
        // torchvision's vit_b_16.
        let base = ViT(patch: 16, width: 768, layers: 12, heads: 12, hidden: 3072)
        #expect(try count(base, [3, 224, 224], 1000) == 86_567_656)
    }

    @Test func patchesMustTileTheImage() throws {
        let error = #expect(throws: ModelError.self) {
            try ViT(patch: 5).build(input: [1, 28, 28], classes: 10, seed: 1)
        }
        #expect(error?.message.contains("5×5") == true && error?.message.contains("28×28") == true)
        #expect(throws: ModelError.self) { try ResNet().build(input: [64], classes: 10, seed: 1) }
        #expect(throws: ModelError.self) {
            try ResNet(layers: 21).build(input: [3, 8, 8], classes: 10, seed: 1)
        }
    }

    /// Dropout is addressed: the same seed gives the same scores, another one others; evaluation has none.
    @Test func dropoutFollowsTheSeed() throws {
        for model: any ModelArchitecture in [ViT(dropout: 0.3), ResNet(width: 4, dropout: 0.3)] {
            let module = try model.build(input: [1, 8, 8], classes: 4, seed: 1)
            for parameter in module.parameters where parameter.name == "heads.head.weight" {
                try parameter.tensor.fillNormal(mean: 0, deviation: 1, seed: 5)
            }
            let x = try Tensor.normal([4, 1, 8, 8], seed: 2)
            func scores(_ seed: UInt64, training: Bool = true) throws -> [Float] {
                let context = ForwardContext(training: training, seed: seed, learnsStatistics: false)
                return try withoutGradients { try module.forward(x, context).array() }
            }
            #expect(try scores(1) == scores(1))
            #expect(try scores(1) != scores(2))
            #expect(try scores(1, training: false) == scores(2, training: false))
        }
    }
}
