import Datasets
import Foundation
import Models
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// Models of tokens, against plain PyTorch modules with the same weights.
@Suite struct SequenceModelTests {
    private static let text = ExampleKind(.tokens(vocabulary: 11, length: 6), .classPerToken(of: 11))
    private static let sequence = ExampleKind(.tokens(vocabulary: 11, length: 6), .oneClass(of: 3))

    /// GPT-2 as Hugging Face's `GPT2Model` has it, written from its configuration; and the other models.
    private static let script = """
        import sys, torch, torch.nn as nn, torch.nn.functional as F
        from safetensors.torch import load_file, save_file
        class Conv1D(nn.Module):
            def __init__(self, inputs, outputs):
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.empty(inputs, outputs)), nn.Parameter(torch.empty(outputs))
            def forward(self, x): return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(*x.shape[:-1], -1)
        class Attention(nn.Module):
            def __init__(self, width, heads):
                super().__init__()
                self.heads, self.c_attn, self.c_proj = heads, Conv1D(width, 3 * width), Conv1D(width, width)
            def forward(self, x):
                n, length, width = x.shape
                q, k, v = (t.view(n, length, self.heads, -1).transpose(1, 2) for t in self.c_attn(x).split(width, 2))
                scores = q @ k.transpose(2, 3) / (width // self.heads) ** 0.5
                scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
                return self.c_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))
        class MLP(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.c_fc, self.c_proj = Conv1D(width, 4 * width), Conv1D(4 * width, width)
            def forward(self, x): return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))
        class Block(nn.Module):
            def __init__(self, width, heads):
                super().__init__()
                self.ln_1, self.attn = nn.LayerNorm(width), Attention(width, heads)
                self.ln_2, self.mlp = nn.LayerNorm(width), MLP(width)
            def forward(self, x):
                x = x + self.attn(self.ln_1(x))
                return x + self.mlp(self.ln_2(x))
        class GPT(nn.Module):
            def __init__(self, classes=None):
                super().__init__()
                self.classes, self.wte, self.wpe = classes, nn.Embedding(11, 8), nn.Embedding(9, 8)
                self.h, self.ln_f = nn.ModuleList(Block(8, 2) for _ in range(2)), nn.LayerNorm(8)
            def forward(self, t):
                x = self.wte(t) + self.wpe(torch.arange(t.shape[1]))
                for block in self.h: x = block(x)
                y = F.linear(self.ln_f(x), self.wte.weight)
                return y if self.classes is None else y[:, -1, :self.classes]
        class Transformer(nn.Module):
            def __init__(self):
                super().__init__()
                self.position, self.embedding = nn.Parameter(torch.empty(6, 8)), nn.Embedding(11, 8)
                layer = nn.TransformerEncoderLayer(8, 2, 32, dropout=0, batch_first=True, norm_first=True)
                self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8), enable_nested_tensor=False)
                self.head = nn.Linear(8, 3)
            def forward(self, t): return self.head(self.encoder(self.embedding(t) + self.position).mean(1))
        class Recurrent(nn.Module):
            def __init__(self, name, make, classes, last):
                super().__init__()
                self.name, self.last, self.embedding = name, last, nn.Embedding(11, 8)
                setattr(self, name, make(8, 7, 2, batch_first=True))
                self.head = nn.Linear(7, classes)
            def forward(self, t):
                y = getattr(self, self.name)(self.embedding(t))[0]
                return self.head(y[:, -1] if self.last else y)
        models = {"gpt": lambda: GPT(), "gpt-class": lambda: GPT(3), "transformer": Transformer,
            "lstm": lambda: Recurrent("lstm", nn.LSTM, 11, False), "gru-class": lambda: Recurrent("gru", nn.GRU, 3, True)}
        name, given, result = sys.argv[1:]
        state = load_file(given)
        tokens, targets = state.pop("tokens"), state.pop("targets")
        model = models[name]().train()
        model.load_state_dict(state, strict=True)
        y = model(tokens)
        F.cross_entropy(y.flatten(0, -2), targets.flatten()).backward()
        out = {"scores": y.detach()} | {"gradient." + k: p.grad for k, p in model.named_parameters()}
        save_file({k: v.contiguous() for k, v in out.items()}, result)
        """

    @Test(arguments: ["gpt", "gpt-class", "transformer", "lstm", "gru-class"])
    func equalsPyTorch(name: String) throws {
        let recurrent = RecurrentSettings(width: 8, hidden: 7)
        let gpt = GPT(layers: 2, heads: 2, width: 8, context: 9)
        let model: any Module =
            switch name {
            case "gpt": try gpt.build(for: Self.text, seed: 1)
            case "gpt-class": try gpt.build(for: Self.sequence, seed: 1)
            case "transformer":
                try Transformer(heads: 2, width: 8).build(for: Self.sequence, seed: 1)
            case "lstm": try LSTM(recurrent).build(for: Self.text, seed: 1)
            default: try GRU(recurrent).build(for: Self.sequence, seed: 1)
            }
        // Weights as large as trained ones, so that no part of the model hides behind its residual sum.
        for (index, item) in model.parameters.enumerated() {
            try item.tensor.fillNormal(mean: 0, deviation: 0.5, seed: UInt64(index))
        }
        let perToken = name == "gpt" || name == "lstm"
        let tokens = try Tensor((0..<24).map { ($0 * $0 + 3) % 11 }, shape: [4, 6])
        let targets =
            perToken
            ? try Tensor((0..<24).map { $0 % 5 == 0 ? -100 : $0 * 7 % 11 }, shape: [4, 6])
            : try Tensor([0, 2, 1, 1] as [Int])
        let directory = try TemporaryDirectory()
        try SafetensorsFile.write(
            model.stateSources() + [TensorSource("tokens", tokens), TensorSource("targets", targets)],
            to: directory.file("given"))
        _ = try ParityPython.run(
            Self.script, name, directory.file("given").path, directory.file("result").path)
        let expected = try SafetensorsFile(contentsOf: directory.file("result"))

        let scores = model.forward(tokens, ForwardContext(training: true, seed: 1))
        try Loss.crossEntropy()(scores, targets).backward()
        var actual = [NamedTensor("scores", scores.detached())]
        for item in model.parameters {
            actual.append(
                NamedTensor("gradient." + item.name, try #require(item.tensor.gradient, "\(item.name)")))
        }
        #expect(Set(actual.map(\.name)) == Set(expected.tensors.map(\.name)))
        for item in actual {
            let other = try expected.tensor(item.name, shape: item.tensor.shape).tensor()
            let error = ((item.tensor - other).absolute() / (other.absolute() + 1)).max().item()
            #expect(error < 2e-5, "\(item.name) differs by \(error)")
        }
    }

    /// A token changes the scores of no place before it.
    @Test func aDecoderDoesNotSeeTheFuture() throws {
        for dropout in [0.0, 0.3] {
            let model = try GPT(layers: 2, heads: 2, width: 8, dropout: dropout).build(
                for: Self.text, seed: 1)
            let context = ForwardContext(training: dropout > 0, seed: 9)
            func scores(_ tokens: [Int]) throws -> [Float] {
                try model.forward(Tensor(tokens, shape: [1, 6]), context).detached().array(of: Float.self)
            }
            let (a, b) = try (scores([1, 2, 3, 4, 5, 6]), scores([1, 2, 3, 4, 9, 6]))
            #expect(a[..<44] == b[..<44] && a[44...] != b[44...])
        }
    }

    /// GPT-2 small has the size that its authors' checkpoint has, and its initial loss is that of a guess.
    @Test func theSizesAreRight() throws {
        let model = try GPT(layers: 2, heads: 12, width: 768, context: 1024)
            .build(
                for: ExampleKind(.tokens(vocabulary: 50257, length: 8), .classPerToken(of: 50257)), seed: 1)
        // 124,439,808 for 12 layers of 7,087,872.
        #expect(model.parameterCount == 124_439_808 - 10 * 7_087_872)
        let scores = try model.forward(Tensor((0..<16).map { $0 * 99 }, shape: [2, 8]), .evaluation)
        let loss = Loss.crossEntropy()(scores, try Tensor((0..<16).map { $0 * 7 }, shape: [2, 8])).item()
        #expect(abs(loss - log(50257.0)) < 0.3, "the loss at the start is \(loss)")
    }

    /// Dropout and NEFTune are in training alone, and follow the context's seed.
    @Test(arguments: [(0.2, 0.0), (0.0, 5.0)]) func noiseIsAddressed(dropout: Double, neftune: Double) throws
    {
        let recurrent = RecurrentSettings(width: 8, hidden: 8, dropout: dropout, neftune: neftune)
        let models: [any ModelArchitecture] = [
            GPT(layers: 2, heads: 2, width: 8, dropout: dropout, neftune: neftune),
            Transformer(heads: 2, width: 8, dropout: dropout, neftune: neftune), LSTM(recurrent),
            GRU(recurrent),
        ]
        let tokens = try Tensor((0..<12).map { $0 % 11 }, shape: [2, 6])
        for architecture in models {
            let model = try architecture.build(for: Self.sequence, seed: 1)
            func scores(_ context: ForwardContext) throws -> [Float] {
                try model.forward(tokens, context).detached().array(of: Float.self)
            }
            let first = try scores(ForwardContext(training: true, seed: 1))
            #expect(try scores(ForwardContext(training: true, seed: 1)) == first)
            #expect(try scores(ForwardContext(training: true, seed: 2)) != first)
            #expect(try scores(.evaluation) != first)
            #expect(try scores(.evaluation) == scores(.evaluation))
        }
    }

    /// E[dropout(softmax)] = softmax: the mean over many masks is the attention without.
    @Test func attentionsDropoutIsFair() throws {
        let x = try Tensor.normal([1, 4, 12], seed: 3)
        let exact = try x.packedAttention(heads: 2, causal: true).array(of: Float.self)
        var sum = [Float](repeating: 0, count: exact.count)
        for seed in 0..<4000 {
            let drawn = try x.packedAttention(heads: 2, causal: true, dropout: 0.25, seed: UInt64(seed))
                .array(of: Float.self)
            for place in sum.indices { sum[place] += drawn[place] / 4000 }
        }
        // Deviation of one element's mean: at most √(p/(1−p))·|v|/√4000 ≈ 0.03.
        #expect(zip(sum, exact).allSatisfy { abs($0 - $1) < 0.12 })
    }

    @Test func whatDoesNotFitIsRefused() throws {
        func refuse(_ code: ModelError.Code, _ words: String, _ build: () throws -> any Module) {
            let error = #expect(throws: ModelError.self) { try build() }
            #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        refuse(.inputShape, "gpt: the input is of shape [1, 8, 8]") {
            try GPT().build(input: [1, 8, 8], classes: 3, seed: 1)
        }
        refuse(.inputShape, "mlp: the input is 6 tokens") { try MLP().build(for: Self.text, seed: 1) }
        refuse(.settings, "context is 5; allowed: at least 6") {
            try GPT(context: 5).build(for: Self.text, seed: 1)
        }
        refuse(.target, "one class per example") { try Transformer().build(for: Self.text, seed: 1) }
        refuse(.target, "12 classes and 11 tokens") {
            try GPT().build(for: ExampleKind(Self.text.input, .oneClass(of: 12)), seed: 1)
        }
        let json = Data(#"{"gpt": {"heads": 3}}"#.utf8)
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(AnyModel.self, from: json)
        }
        #expect("\(error!)".contains("heads is 3, which does not divide the width 128"))
    }
}
