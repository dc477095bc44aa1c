import Foundation
import Safetensors
import TestSupport
import Testing

/// Files travel to and from the reference implementation, the Python package `safetensors`.
///
/// Needs `.python`, the interpreter that `scripts/bootstrap` links; without it the test fails.
@Suite struct SafetensorsParityTests {
    private func python(_ script: String, _ arguments: String...) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let interpreter = root.appendingPathComponent(".python")
        try #require(
            FileManager.default.isExecutableFile(atPath: interpreter.path),
            "\(interpreter.path) is missing: run scripts/bootstrap (make test does)")
        let process = Process()
        process.executableURL = interpreter
        process.arguments = ["-c", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "the script failed: \(text)")
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func pythonReadsOurs() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("ours.safetensors")
        try SafetensorsFile(
            tensors: [
                TensorEntry(name: "bytes", shape: [3], bytes: [1, 2, 255]),
                TensorEntry(name: "layer.weight", shape: [2, 3], floats: [0, 1, 2, 3, 4, 5.5]),
                TensorEntry(name: "double é", shape: [], doubles: [0.1]),
                TensorEntry(name: "step", shape: [2], integers: [-1, .max]),
                TensorEntry(name: "none", shape: [0, 4], floats: []),
            ], metadata: ["format": "pt", "a \"quoted\" key\n": "é🙂"]
        ).write(to: url)
        let result = try python(
            """
            import sys, numpy as np
            from safetensors import safe_open
            with safe_open(sys.argv[1], "np") as f:
                assert f.metadata() == {"format": "pt", 'a "quoted" key\\n': "é🙂"}, f.metadata()
                t = {k: f.get_tensor(k) for k in f.keys()}
            assert len(t) == 5
            assert t["bytes"].dtype == np.uint8 and t["bytes"].tolist() == [1, 2, 255]
            assert t["layer.weight"].dtype == np.float32
            assert t["layer.weight"].tolist() == [[0, 1, 2], [3, 4, 5.5]]
            assert t["double é"].dtype == np.float64 and t["double é"].shape == () and t["double é"] == 0.1
            assert t["step"].dtype == np.int64 and t["step"].tolist() == [-1, 2**63 - 1]
            assert t["none"].shape == (0, 4)
            print("equal")
            """, url.path)
        #expect(result == "equal")
    }

    @Test func weReadPythons() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("theirs.safetensors")
        let result = try python(
            """
            import sys, torch
            from safetensors.torch import save_file
            save_file({
                "w": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
                "b": torch.tensor([1.5, -2.5], dtype=torch.bfloat16),
                "h": torch.tensor([0.5], dtype=torch.float16),
                "d": torch.tensor(0.1, dtype=torch.float64),
                "i": torch.tensor([-7, 2**40]),
                "u": torch.tensor([[200]], dtype=torch.uint8),
                "m": torch.tensor([True, False]),
                "none": torch.empty(3, 0),
            }, sys.argv[1], metadata={"format": "pt"})
            print("written")
            """, url.path)
        #expect(result == "written")
        let file = try SafetensorsFile(contentsOf: url)
        #expect(file.tensors.count == 8)
        #expect(file.metadata == ["format": "pt"])
        #expect(
            try file.tensor("w", type: .float32, shape: [2, 3]).floats() == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(try file.tensor("b", type: .bfloat16).floats() == [1.5, -2.5])
        #expect(try file.tensor("h", type: .float16).floats() == [0.5])
        #expect(try file.tensor("d", shape: []).doubles() == [0.1])
        #expect(try file.tensor("i", type: .int64).integers() == [-7, 1 << 40])
        #expect(try file.tensor("u", type: .uint8, shape: [1, 1]).data == Data([200]))
        #expect(try file.tensor("m", type: .bool).data == Data([1, 0]))
        #expect(try file.tensor("none", shape: [3, 0]).count == 0)
    }
}
