import Foundation
import Models
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// TorchScript files against the Python that made them.
@Suite struct TorchScriptTests {
    /// A network with everything that is easy to get wrong: tied and frozen weights, a kernel that is not contiguous,
    /// running statistics, dropout, and a mode that matters.
    private static let network = """
        import sys, torch, torch.nn as nn, torch.nn.functional as F
        from safetensors.torch import save_file, load_file
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(1, 4, 3, padding=1)
                self.norm = nn.BatchNorm2d(4)
                self.first = nn.Linear(4 * 36, 8)
                self.second = nn.Linear(8, 8)
                self.third = nn.Linear(8, 8)
                self.third.weight = self.second.weight
                self.head = nn.Linear(8, 3)
                self.register_buffer("scale", torch.tensor([2.0]))
                self.drop = nn.Dropout(0.5)
                self.uses_drop: bool = False
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                x = F.relu(self.norm(self.conv(x))).flatten(1)
                x = torch.tanh(self.third(torch.tanh(self.second(torch.tanh(self.first(x))))))
                if self.uses_drop: x = self.drop(x)
                return self.head(x * self.scale)
        torch.manual_seed(5)
        net = Net()
        net.conv.weight.data = net.conv.weight.data.contiguous(memory_format=torch.channels_last)
        net.first.bias.requires_grad_(False)

        """

    private func close(_ a: Tensor, _ b: Tensor) -> Bool {
        a.shape == b.shape && (a - b).absolute().max().item() < 2e-6
    }

    /// Outputs, gradients and running statistics are Python's; what is trained here is read by `torch.jit.load`.
    @Test func itTrainsAsInPythonAndGoesBack() throws {
        let directory = try TemporaryDirectory()
        _ = try ParityPython.run(
            Self.network + """
                folder = sys.argv[1]
                torch.jit.save(torch.jit.script(net), folder + "/model.pt")
                x, t = torch.randn(5, 1, 6, 6), torch.tensor([0, 2, 1, 1, 0])
                result = {"input": x, "evaluated": net.eval()(x).detach()}
                loss = F.cross_entropy(net.train()(x), t)
                loss.backward()
                result["loss"] = loss.detach()
                for k, p in net.named_parameters():
                    if p.grad is not None: result["gradient." + k] = p.grad.contiguous()
                for k, b in net.named_buffers(): result["buffer." + k] = b
                torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1).step()
                result["stepped"] = net.eval()(x).detach()
                save_file(result, folder + "/expected.safetensors")
                """, directory.url.path)
        let expected = try SafetensorsFile(contentsOf: directory.file("expected.safetensors"))
        func tensor(_ name: String) throws -> Tensor { try #require(expected[name]).tensor() }
        let model = try TorchScriptModel(file: directory.file("model.pt").path)
            .build(input: [1, 6, 6], classes: 3, seed: 1)
        #expect(
            model.parameters.map(\.name) == [
                "conv.weight", "conv.bias", "norm.weight", "norm.bias", "first.weight", "second.weight",
                "second.bias", "third.bias", "head.weight", "head.bias",
            ])
        #expect(model.frozen.map(\.name) == ["first.bias"])
        #expect(model.parameters.allSatisfy { $0.tensor.isContiguous && $0.tensor.requiresGradient })

        let x = try tensor("input")
        #expect(close(withoutGradients { model.forward(x, .evaluation) }, try tensor("evaluated")))
        // A further pass over one batch learns no statistics; the first does.
        let again = ForwardContext(training: true, seed: 1, learnsStatistics: false)
        let means = try #require(model.buffers.first { $0.name == "norm.running_mean" }).tensor
        _ = model.forward(x, again)
        #expect(try means.array(of: Float.self) == [0, 0, 0, 0])
        let labels = try Tensor([0, 2, 1, 1, 0] as [Int])
        let loss = model.forward(x, ForwardContext(training: true, seed: 1)).crossEntropy(labels)
        try loss.backward()
        #expect(close(loss.detached(), try tensor("loss")))
        for item in model.parameters {
            let gradient = try #require(item.tensor.gradient, "\(item.name)")
            #expect(close(gradient, try tensor("gradient." + item.name)), "\(item.name)")
        }
        for item in model.buffers where item.tensor.dtype == .float32 {
            #expect(close(item.tensor, try tensor("buffer." + item.name)), "\(item.name)")
        }
        withoutGradients {
            for item in model.parameters { item.tensor.addInPlace(item.tensor.gradient!, scale: -0.1) }
        }
        let exported = try #require(model as? any ExportableModule)
        try exported.export(to: directory.file("trained.pt"))
        _ = try ParityPython.run(
            """
            import sys, torch
            from safetensors.torch import load_file
            folder = sys.argv[1]
            net, given = torch.jit.load(folder + "/trained.pt"), load_file(folder + "/expected.safetensors")
            assert not net.training
            assert torch.equal(net.norm.running_mean, given["buffer.norm.running_mean"])
            assert torch.allclose(net(given["input"]), given["stepped"], atol=2e-6)
            """, directory.url.path)
    }

    /// Dropout in the script depends on the context's seed, and on nothing that was drawn before.
    @Test func drawsDependOnTheSeedAlone() throws {
        let directory = try TemporaryDirectory()
        _ = try ParityPython.run(
            Self.network
                + "net.uses_drop = True\ntorch.jit.save(torch.jit.script(net), sys.argv[1] + '/model.pt')",
            directory.url.path)
        let model = try TorchScriptModel(file: directory.file("model.pt").path)
            .build(input: [1, 6, 6], classes: 3, seed: 1)
        let x = try Tensor.normal([4, 1, 6, 6], seed: 3)
        func draw(_ seed: UInt64) throws -> [Float] {
            try model.forward(x, ForwardContext(training: true, seed: seed, learnsStatistics: false))
                .detached().array()
        }
        let first = try draw(7)
        #expect(try draw(8) != first)
        // More calls than the optimising executor would record before it runs another program.
        for _ in 0..<4 { #expect(try draw(7) == first) }
    }

    @Test(arguments: [
        ("torch.jit.save(torch.jit.script(nn.Flatten()), path)", ModelError.Code.file, "no parameters"),
        ("torch.jit.save(torch.jit.freeze(torch.jit.script(net.eval())), path)", .file, "no parameters"),
        ("torch.save(net.state_dict(), path)", .file, "cannot be loaded"),
        ("open(path, 'w').write('hello')", .file, "cannot be loaded"),
        (
            "torch.jit.save(torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(36, 4))), path)",
            .outputShape, "returns the shape [2, 4]"
        ),
        (
            "torch.jit.save(torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(35, 3))), path)",
            .inputShape,
            "mat1 and mat2 shapes cannot be multiplied (2x36 and 35x3)"
        ),
        (
            "torch.jit.save(torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(36, 3).half())), path)",
            .file,
            "type Half"
        ),
    ])
    func whatCannotBeTrainedIsRefused(script: String, code: ModelError.Code, words: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("model.pt").path
        _ = try ParityPython.run(Self.network + "path = sys.argv[1]\n" + script, path)
        let error = try #require(throws: ModelError.self) {
            try TorchScriptModel(file: path).build(input: [1, 6, 6], classes: 3, seed: 1)
        }
        #expect(error.code == code, "\(error)")
        #expect(error.message.contains(words) && error.message.contains(path), "\(error)")
    }

    @Test func aMissingFileIsNamed() throws {
        #expect(throws: FileError.self) {
            try TorchScriptModel(file: "/nowhere/model.pt").build(input: [4], classes: 2, seed: 1)
        }
        #expect(throws: ModelError.self) { try TorchScriptModel().build(input: [4], classes: 2, seed: 1) }
    }
}
