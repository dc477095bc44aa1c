import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// What belongs to the model beside its parameters comes back with them, also after a resume.
@Suite struct CompanionTests {
    final class Buffer {
        var values: [Float] = [0, 0, 0]
        var companion: CompanionTensor {
            CompanionTensor(
                name: "norm.running_mean", type: .float32, shape: [3],
                read: { self.values.withUnsafeBytes { Data($0) } },
                write: { data in _ = self.values.withUnsafeMutableBytes { data.copyBytes(to: $0) } })
        }
    }

    static func optimizer(_ buffer: Buffer) throws -> PerturbedOptimizer {
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("norm", shape: [2])],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0.1),
                stability: Stability(
                    rollbackOnSpike: SpikeGuard(window: 10, minimumHistory: 2, snapshotEvery: 3, attempts: 1))
            ),
            seed: 1)
        optimizer.companions = [buffer.companion]
        return optimizer
    }

    @Test func comesBackWithTheSnapshot() throws {
        let directory = try TemporaryDirectory()
        let buffer = Buffer()
        let optimizer = try Self.optimizer(buffer)
        var theta: [Float] = [1, 2]
        // Snapshots before steps 0 and 3.
        for step in 0..<5 {
            buffer.values = [Float(step), 1, -Float(step)]
            try optimizer.step(&theta, gradient: [1, 1], loss: 1)
        }
        try optimizer.saveState(to: directory.file("s"))
        let file = try SafetensorsFile(contentsOf: directory.file("s"))
        #expect(try file.tensor("snapshot/norm.running_mean/buffer").floats() == [3, 1, -3])

        // The same after a resume in a new process as without.
        let again = Buffer()
        let resumed = try Self.optimizer(again)
        try resumed.loadState(from: directory.file("s"))
        for (optimizer, buffer) in [(optimizer, buffer), (resumed, again)] {
            var theta = theta
            buffer.values = [.nan, .nan, .nan]
            #expect(try optimizer.step(&theta, gradient: [1, 1], loss: .nan).outcome == .rolledBack)
            #expect(buffer.values == [3, 1, -3])
            buffer.values = [9, 9, 9]
            #expect(throws: DivergenceError.self) {
                try optimizer.step(&theta, gradient: [1, 1], loss: .nan)
            }
            #expect(buffer.values == [3, 1, -3], "given up at the last good state")
        }
    }

    /// A state without the companion still loads: then its present values are the snapshot's.
    @Test func anOlderState() throws {
        let directory = try TemporaryDirectory()
        let plain = try Self.optimizer(Buffer())
        plain.companions = []
        var theta: [Float] = [1, 2]
        try plain.step(&theta, gradient: [1, 1], loss: 1)
        try plain.saveState(to: directory.file("s"))
        let buffer = Buffer()
        buffer.values = [4, 5, 6]
        let optimizer = try Self.optimizer(buffer)
        try optimizer.loadState(from: directory.file("s"))
        buffer.values = [7, 7, 7]
        #expect(try optimizer.step(&theta, gradient: [1, 1], loss: .nan).outcome == .rolledBack)
        #expect(buffer.values == [4, 5, 6])
    }
}
