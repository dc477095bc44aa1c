import Foundation
import Safetensors
import TestSupport
import Testing
import Training

@Suite struct CheckpointTests {
    private static func manifest(step: Int) -> CheckpointManifest {
        var progress = TrainingProgress()
        progress.best = .init(
            step: 3, epoch: 0, metric: .accuracy, Evaluation(loss: 0.1, accuracy: 0.9, count: 7))
        return CheckpointManifest(step: step, epoch: 1, batch: 2, seed: .max, progress: progress)
    }

    private static func tensors(_ random: inout SeededGenerator) throws -> [TensorSource] {
        try [("model.w", [3, 4]), ("model.b", [4]), ("state/w/exp_avg", [3, 4])].map { name, shape in
            let count = shape.reduce(1, *)
            return TensorSource(
                try TensorEntry(
                    name: name, shape: shape,
                    floats: (0..<count).map { _ in Float.random(in: -1...1, using: &random) }))
        }
    }

    @Test func readsBackWhatWasWritten() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let url = directory.file("a.safetensors")
        let tensors = try Self.tensors(&random)
        try Checkpoint.write(
            manifest: Self.manifest(step: 17), tensors: tensors, metadata: ["optimizer": "{\"x\":1}"], to: url
        )
        let read = try Checkpoint(contentsOf: url)
        #expect(read.manifest == Self.manifest(step: 17))
        #expect(read.file.metadata["optimizer"] == "{\"x\":1}")
        #expect(read.file.tensors.map(\.name) == tensors.map(\.name))
    }

    /// Every single flipped bit and every truncation is refused, by name and without a crash.
    @Test func everyFlippedBitAndEveryTruncationIsRefused() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let url = directory.file("a.safetensors")
        try Checkpoint.write(manifest: Self.manifest(step: 1), tensors: Self.tensors(&random), to: url)
        let whole = try Data(contentsOf: url)
        func expectRefused(_ data: Data, _ comment: String) throws {
            let damaged = directory.file("damaged.safetensors")
            try data.write(to: damaged)
            do {
                _ = try Checkpoint(contentsOf: damaged)
                Issue.record("accepted: \(comment)")
            } catch let error as CheckpointError {
                #expect(error.code == .damaged || error.code == .futureVersion, "\(comment)")
                #expect(error.message.contains("damaged.safetensors"), "\(comment): \(error.message)")
            }
        }
        for byte in whole.indices {
            var data = whole
            data[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try expectRefused(data, "byte \(byte) of \(whole.count), PEO_TEST_SEED=\(random.seed)")
        }
        for count in 0..<whole.count { try expectRefused(whole.prefix(count), "cut to \(count) bytes") }
        try expectRefused(whole + Data([0]), "a byte too many")
    }

    @Test func theLastTwoAreKeptAndTheNewestWholeOneIsUsed() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let store = CheckpointStore(directory: directory.url)
        #expect(throws: CheckpointError.self) { try store.latest() }
        for step in [5, 50, 500] { try store.save(Self.manifest(step: step), Self.tensors(&random)) }
        #expect(try store.steps() == [500, 50])
        #expect(try store.latest().checkpoint.manifest.step == 500)
        var data = try Data(contentsOf: store.url(step: 500))
        data[data.count - 1] ^= 128
        try data.write(to: store.url(step: 500))
        let (checkpoint, damaged) = try store.latest()
        #expect(checkpoint.manifest.step == 50)
        #expect(damaged.count == 1 && damaged[0].message.contains("step-000000500.safetensors"))
        // The next save keeps two again, the damaged one no more than any other.
        try store.save(Self.manifest(step: 501), Self.tensors(&random))
        #expect(try store.steps() == [501, 500])
    }

    /// A run killed between a save and the removal leaves one more, which goes when the run is gone on with.
    @Test func whatAKilledSaveLeftIsRemoved() throws {
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        let store = CheckpointStore(directory: directory.url)
        for step in [50, 500] { try store.save(Self.manifest(step: step), Self.tensors(&random)) }
        try FileManager.default.copyItem(at: store.url(step: 50), to: store.url(step: 5))
        try store.removeOld(before: 500)
        #expect(try store.steps() == [500, 50])
    }
}
