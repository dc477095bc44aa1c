import Foundation
import TestSupport
import Testing

/// `peo train --model script.pt`, from Python and back.
@Suite struct TorchScriptRunTests {
    private static let config = """
        model: cnn
        data: digits
        training: {steps: 120, batchSize: 64, seed: 3, threads: 1, checkpointEvery: {steps: 60}}
        rule: {adam: {learningRate: 0.005}}
        perturbation:
          - gaussian: {sigma: 0.001}
        """

    private func export(_ module: String, to directory: TemporaryDirectory) throws {
        _ = try ParityPython.run(
            """
            import sys, torch, torch.nn as nn
            torch.manual_seed(1)
            net = nn.Sequential(\(module))
            torch.jit.save(torch.jit.script(net), sys.argv[1])
            """, directory.file("my model.pt").path)
    }

    @Test func theTrainedFileIsReadByPython() throws {
        let directory = try TemporaryDirectory()
        try export(
            "nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)", to: directory)
        let config = try PeoTool.config(Self.config, in: directory)
        let output = try PeoTool.run(["train", config, "--model", "my model.pt", "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let result = try #require(output.json["result"] as? [String: Any], "\(output.all)")
        let test = try #require(result["test"] as? [String: Any])
        #expect(try #require(test["accuracy"] as? Double) > 0.85, "\(output.all)")
        _ = try ParityPython.run(
            """
            import sys, torch
            from safetensors.torch import load_file
            net, weights = torch.jit.load(sys.argv[1] + "/model.pt"), load_file(sys.argv[1] + "/model.safetensors")
            assert set(net.state_dict()) == set(weights)
            assert all(torch.equal(net.state_dict()[k], v) for k, v in weights.items())
            """, directory.file("runs/test").path)

        // A run that is cut off and resumed ends with the same bits.
        let half = try PeoTool.run(
            ["train", config, "--model", "my model.pt", "-o", "cut"], in: directory,
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
        #expect(
            try Data(contentsOf: directory.file("cut/model.safetensors"))
                == Data(contentsOf: directory.file("runs/test/model.safetensors")))
    }

    /// Two examples pass the check at the start; the last batch of an epoch has one, which batch normalisation refuses.
    @Test func aBatchThatTheScriptRefusesIsAnError() throws {
        let directory = try TemporaryDirectory()
        try export("nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10)", to: directory)
        let config = try PeoTool.config(Self.config, in: directory)
        // The digits' training part has 1,437 examples.
        let output = try PeoTool.run(
            ["train", config, "--model", "my model.pt", "--set", "training.batchSize=718"], in: directory)
        #expect(output.status == 65 && !output.wasSignalled, "\(output.all)")
        for text in ["my model.pt cannot take [1, 1, 8, 8]", "more than 1 value per channel"] {
            #expect(output.stderr.contains(text), "\(output.all)")
        }
    }

    @Test func aWrongOutputShapeIsABadConfiguration() throws {
        let directory = try TemporaryDirectory()
        try export("nn.Flatten(), nn.Linear(64, 9)", to: directory)
        let config = try PeoTool.config(Self.config, in: directory)
        let output = try PeoTool.run(["train", config, "--model", "my model.pt"], in: directory)
        #expect(output.status == 65, "\(output.all)")
        #expect(output.stderr.contains("my model.pt returns the shape [2, 9]"), "\(output.all)")
        #expect(output.stderr.contains("allowed: [2, 10]"), "\(output.all)")
        let missing = try PeoTool.run(["train", config, "--model", "none.pt"], in: directory)
        #expect(missing.status == 66 && missing.stderr.contains("none.pt"), "\(missing.all)")
    }

    /// Noise shaped by the Hessian's diagonal, and its trace, of a script with attention; an operation without a second
    /// derivative is named.
    @Test func secondDerivatives() throws {
        let directory = try TemporaryDirectory()
        func export(_ body: String) throws {
            _ = try ParityPython.run(
                """
                import sys, torch, torch.nn as nn, torch.nn.functional as F
                class Net(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.inner = nn.Linear(8, 8)
                        self.head = nn.Linear(64, 10)
                    def forward(self, x: torch.Tensor) -> torch.Tensor:
                        \(body)
                        return self.head(x.flatten(1))
                torch.manual_seed(1)
                torch.jit.save(torch.jit.script(Net()), sys.argv[1])
                """, directory.file("model.pt").path)
        }
        try export("x = self.inner(x); x = F.scaled_dot_product_attention(x, x, x)")
        let yaml = Self.config.replacingOccurrences(of: "steps: 120", with: "steps: 4")
            .replacingOccurrences(
                of: "gaussian: {sigma: 0.001}",
                with: "curvatureShaped: {sigma: 0.001, source: hessianDiagonal, every: 2}")
        let config = try PeoTool.config(yaml, in: directory)
        let arguments = ["train", config, "--model", "model.pt", "--json"]
        let trained = try PeoTool.run(arguments, in: directory)
        #expect(trained.status == 0, "\(trained.all)")
        let measured = try PeoTool.run(
            [
                "evaluate", "runs/test", "--only", "flatness", "--examples", "32", "--probes", "2",
                "--iterations",
            ]
                + ["3", "--grid", "0", "--slice", "0", "--json"], in: directory)
        #expect(measured.status == 0 && measured.stdout.contains("\"trace\":{"), "\(measured.all)")

        try export("x = torch.cdist(self.inner(x), x, p=1.0)")
        let refused = try PeoTool.run(arguments + ["-o", "other"], in: directory)
        #expect(refused.status == 65 && refused.stdout.contains("has no second derivative"), "\(refused.all)")
        let plain = try PeoTool.run(
            arguments + ["-o", "plain", "--set", "perturbation=[]"], in: directory)
        #expect(plain.status == 0, "\(plain.all)")
        let note = try PeoTool.run(
            ["evaluate", "plain", "--only", "flatness", "--examples", "32", "--grid", "0", "--slice", "0"],
            in: directory)
        #expect(
            note.status == 0 && note.stdout.contains("no second derivative")
                && note.stdout.contains("sharpness"), "\(note.all)")
    }
}
