import Foundation
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct StateDictionaryTests {
    private func model(seed: UInt64) throws -> Sequential {
        Sequential(
            try Conv2d(1, 2, kernel: 3, seed: derivedSeed(seed, "0")), try BatchNorm(2, .images), Flatten(),
            try Linear(8, 3, seed: derivedSeed(seed, "3")))
    }

    private let names = [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        "1.num_batches_tracked",
        "3.weight", "3.bias",
    ]

    private func floats(_ module: any Module) throws -> [[Double]] {
        try module.stateTensors.map { try $0.tensor.converted(to: .float64).array() }
    }

    @Test func namesAndOrderArePyTorchs() throws {
        let model = try model(seed: 1)
        #expect(model.stateTensors.map(\.name) == names)
        #expect(
            model.parameters.map(\.name) == [
                "0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias",
            ])
        #expect(model.buffers.map(\.name) == ["1.running_mean", "1.running_var", "1.num_batches_tracked"])
        #expect(model.parameterCount == 18 + 2 + 4 + 27)
    }

    @Test func weightsTravelToPythonAndBack() throws {
        let directory = try TemporaryDirectory()
        let ours = try model(seed: 1)
        try ours.saveState(to: directory.file("ours"))
        // PyTorch computes with our weights, then sends them back, doubled.
        let script = """
            import sys, torch, torch.nn as nn
            from safetensors.torch import load_model, save_model
            model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
            load_model(model, sys.argv[1], strict=True)
            model.eval()
            print(model(torch.arange(16.).reshape(1, 1, 4, 4)).sum().item())
            with torch.no_grad():
                for t in model.state_dict().values(): t.mul_(2).add_(1)
            save_model(model, sys.argv[2])
            """
        let printed = try ParityPython.run(script, directory.file("ours").path, directory.file("theirs").path)
        let input = try Tensor((0..<16).map(Float.init), shape: [1, 1, 4, 4])
        let sum = ours.forward(input, .evaluation).sum().item()
        let theirs = try #require(Double(printed.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(abs(sum - theirs) < 1e-4, "ours \(sum), PyTorch's \(theirs)")

        let back = try model(seed: 2)
        try back.loadState(from: SafetensorsFile(contentsOf: directory.file("theirs")))
        let expected = try floats(ours).map { $0.map { 2 * $0 + 1 } }
        for (actual, expected) in zip(try floats(back), expected) {
            #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < 1e-6 })
        }
        #expect(back.parameters.allSatisfy { $0.tensor.requiresGradient })
    }

    @Test func otherFloatTypesConvert() throws {
        let directory = try TemporaryDirectory()
        let layer = try Linear(1, 2, bias: false, seed: 1)
        for type in ["float16", "bfloat16", "float64"] {
            let script = """
                import sys, torch
                from safetensors.torch import save_file
                save_file({"weight": torch.tensor([[0.5], [-3.0]], dtype=torch.\(type))}, sys.argv[1])
                """
            layer.weight.copy(from: try .zeros([2, 1]))
            _ = try ParityPython.run(script, directory.file(type).path)
            try layer.loadState(from: SafetensorsFile(contentsOf: directory.file(type)))
            #expect(try layer.weight.array(of: Float.self) == [0.5, -3], "\(type)")
        }
    }

    @Test func aPrefixSelects() throws {
        let source = try model(seed: 1)
        let target = try model(seed: 2)
        let directory = try TemporaryDirectory()
        let other = TensorSource("optimizer.step", try Tensor([5] as [Int]))
        try SafetensorsFile.write(source.stateSources(prefix: "model.") + [other], to: directory.file("both"))
        try target.loadState(from: SafetensorsFile(contentsOf: directory.file("both")), prefix: "model.")
        #expect(try floats(target) == floats(source))
    }

    /// A fault, and words that its message must have.
    enum Fault: CaseIterable {
        case missing, unexpected, shape, type
    }

    @Test(arguments: Fault.allCases)
    func misfitsAreRefusedAndChangeNothing(fault: Fault) throws {
        let model = try model(seed: 1)
        let before = try floats(model)
        let directory = try TemporaryDirectory()
        let url = directory.file("weights.safetensors")
        var sources = try self.model(seed: 2).stateSources()
        let last = sources.count - 1
        let code: StateDictionaryError.Code
        let words: [String]
        switch fault {
        case .missing:
            sources.removeLast()
            (code, words) = (.missingTensor, ["'3.bias'", "[3]"])
        case .unexpected:
            sources.append(TensorSource("4.weight", try .zeros([7])))
            (code, words) = (.unexpectedTensor, ["'4.weight'", "[7]", "3.bias"])
        case .shape:
            sources[last] = TensorSource("3.bias", try .zeros([4]))
            (code, words) = (.wrongShape, ["'3.bias'", "[4]", "[3]"])
        case .type:
            sources[last] = TensorSource("3.bias", try .zeros([3], dtype: .int64))
            (code, words) = (.wrongType, ["'3.bias'", "I64", "F32"])
        }
        try SafetensorsFile.write(sources, to: url)
        let error = #expect(throws: StateDictionaryError.self) {
            try model.loadState(from: SafetensorsFile(contentsOf: url))
        }
        #expect(error?.code == code)
        for word in words + [url.path] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        #expect(try floats(model) == before)
    }
}
