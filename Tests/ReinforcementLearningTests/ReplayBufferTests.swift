import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import Safetensors
import TestSupport
import Testing

@Suite struct ReplayBufferTests {
    /// Fills a buffer from an environment, and keeps what it should hold, oldest first.
    private func play(
        _ steps: Int, capacity: Int, seed: UInt64
    ) throws -> (ReplayBuffer, rows: [[Float]], VectorEnvironment) {
        let copies = try VectorEnvironment(MountainCarContinuous(), copies: 3, seed: seed)
        let buffer = try ReplayBuffer(capacity: capacity, observationSize: 2, actionSize: 1)
        var rows: [[Float]] = []
        try play(steps, copies, buffer, &rows, SeededGenerator(seed: seed))
        return (buffer, Array(rows.suffix(capacity)), copies)
    }

    private func play(
        _ steps: Int, _ copies: VectorEnvironment, _ buffer: ReplayBuffer, _ rows: inout [[Float]],
        _ generator: SeededGenerator
    ) throws {
        var generator = generator
        for _ in 0..<steps {
            let before = Array(copies.observations)
            // To the goal, mostly.
            let actions = (0..<3).map { copy -> Float in
                let push = before[2 * copy + 1] >= 0 ? 0.9 : -0.9
                return Float(push + Double.random(in: -0.1...0.1, using: &generator))
            }
            try copies.step(actions)
            buffer.add(before, actions: actions, from: copies)
            for copy in 0..<3 {
                let ended = copies.terminated[copy] || copies.truncated[copy]
                let after = ended ? copies.finalObservations : copies.observations
                rows.append(
                    [before[2 * copy], before[2 * copy + 1], actions[copy], Float(copies.rewards[copy])]
                        + [after[2 * copy], after[2 * copy + 1], copies.terminated[copy] ? 1 : 0])
            }
        }
    }

    private func rows(_ batch: ReplayBatch) -> [[Float]] {
        (0..<batch.count).map { i in
            [
                batch.observations[2 * i], batch.observations[2 * i + 1], batch.actions[i], batch.rewards[i],
                batch.nextObservations[2 * i], batch.nextObservations[2 * i + 1], batch.terminated[i],
            ]
        }
    }

    @Test(arguments: [10, 600, 2000]) func itHoldsTheLatestTransitionsAndNothingElse(_ capacity: Int) throws {
        let seed = SeededGenerator().seed
        let (buffer, expected, _) = try play(400, capacity: capacity, seed: seed)
        #expect(buffer.count == min(capacity, 1200))
        // Draws of many times the buffer's size meet every transition.
        var batch = ReplayBatch(count: 20 * buffer.count, observationSize: 2, actionSize: 1)
        buffer.sample(into: &batch, key: NoiseKey(seed: 1))
        let (drawn, held) = (Set(rows(batch)), Set(expected))
        #expect(drawn == held, "capacity \(capacity), seed \(seed)")
        #expect(capacity == 10 || expected.contains { $0[6] == 1 }, "no episode ended, seed \(seed)")
    }

    @Test func drawsAreUniformAndAddressed() throws {
        let (buffer, _, _) = try play(10, capacity: 30, seed: 4)
        var batch = ReplayBatch(count: 30_000, observationSize: 2, actionSize: 1)
        buffer.sample(into: &batch, key: NoiseKey(seed: 2))
        let first = rows(batch)
        var counts: [[Float]: Int] = [:]
        for row in first { counts[row, default: 0] += 1 }
        // χ² with 29 degrees of freedom: mean 29, standard deviation 7.6.
        let chi = counts.values.map { pow(Double($0) - 1000, 2) / 1000 }.reduce(0, +)
        #expect(counts.count == 30 && chi > 5 && chi < 75, "χ² = \(chi)")
        buffer.sample(into: &batch, key: NoiseKey(seed: 3))
        #expect(rows(batch) != first)
        buffer.sample(into: &batch, key: NoiseKey(seed: 2))
        #expect(rows(batch) == first)
    }

    @Test(arguments: [25, 70]) func aSavedBufferGoesOnAsIfNothingHadHappened(_ steps: Int) throws {
        let (buffer, _, copies) = try play(steps, capacity: 100, seed: 6)
        let directory = try TemporaryDirectory()
        try SafetensorsFile.write(buffer.tensors, to: directory.file("replay.safetensors"))
        let again = try ReplayBuffer(capacity: 100, observationSize: 2, actionSize: 1)
        try again.restore(from: SafetensorsFile(contentsOf: directory.file("replay.safetensors")))
        let snapshot = try copies.snapshot()
        var drawn: [[[Float]]] = []
        for one in [buffer, again] {
            var ignored: [[Float]] = []
            try copies.restore(snapshot)
            try play(20, copies, one, &ignored, SeededGenerator(seed: 7))
            var batch = ReplayBatch(count: 64, observationSize: 2, actionSize: 1)
            one.sample(into: &batch, key: NoiseKey(seed: 5))
            drawn.append(rows(batch))
        }
        #expect(again.count == buffer.count && drawn[0] == drawn[1])
    }

    @Test func aSavedBufferOfAnotherShapeIsRefused() throws {
        let (buffer, _, _) = try play(10, capacity: 40, seed: 6)
        let directory = try TemporaryDirectory()
        func refused(_ sources: [TensorSource], by one: ReplayBuffer, _ words: String) throws {
            try SafetensorsFile.write(sources, to: directory.file("replay"))
            let file = try SafetensorsFile(contentsOf: directory.file("replay"))
            let error = #expect(throws: ReplayBufferError.self) { try one.restore(from: file) }
            #expect(error?.code == .saved && error?.message.contains(words) == true, "\(error as Any)")
            #expect(error?.message.contains("/replay: ") == true, "\(error as Any)")
            #expect(one.count == 0)
        }
        func empty(_ capacity: Int, _ observations: Int = 2, _ actions: Int = 1) throws -> ReplayBuffer {
            try ReplayBuffer(capacity: capacity, observationSize: observations, actionSize: actions)
        }
        let good = buffer.tensors
        try refused(good, by: empty(29), "30 transitions; allowed: up to the capacity of 29")
        try refused(
            good, by: empty(40, 3),
            "is F32 of shape [30, 2]; allowed: F32 of [transitions, 3]")
        try refused(good, by: empty(40, 2, 2), "'replay.actions'")
        try refused(Array(good.dropFirst()), by: empty(40), "'replay.observations' is missing")
        try refused(Array(good.dropLast()), by: empty(40), "'replay.next'")
        let short = try TensorSource(TensorEntry(name: "replay.rewards", shape: [2, 1], floats: [0, 0]))
        try refused(good.map { $0.name == short.name ? short : $0 }, by: empty(40), "has 2 transitions")
        let beyond = try TensorSource(TensorEntry(name: "replay.next", shape: [1], integers: [31]))
        try refused(good.map { $0.name == beyond.name ? beyond : $0 }, by: empty(40), "next place is 31")
        let negative = try TensorSource(TensorEntry(name: "replay.next", shape: [1], integers: [-1]))
        try refused(good.map { $0.name == negative.name ? negative : $0 }, by: empty(30), "next place is -1")
    }

    @Test func aBufferLargerThanMemoryIsRefusedBeforeItIsMade() throws {
        func refused(_ code: ReplayBufferError.Code, _ words: String, _ body: () throws -> Void) {
            let error = #expect(throws: ReplayBufferError.self) { try body() }
            #expect(error?.code == code && error?.message.contains(words) == true, "\(error as Any)")
        }
        // On this machine, as it is: a terabyte times a thousand.
        refused(.memory, "a replay buffer of 1000000000000 transitions needs 36000.0 GB, 36 bytes each") {
            _ = try ReplayBuffer(capacity: 1_000_000_000_000, observationSize: 3, actionSize: 1)
        }
        refused(
            .memory, "1000 transitions needs 36000 bytes, 36 bytes each; 35999 bytes are free, enough for 999"
        ) {
            _ = try ReplayBuffer(capacity: 1000, observationSize: 3, actionSize: 1, availableMemory: 35_999)
        }
        _ = try ReplayBuffer(capacity: 1000, observationSize: 3, actionSize: 1, availableMemory: 36_000)
        for (observations, actions) in [(Int.max, 1), (1, Int.max), (Int.max / 2, 1)] {
            refused(.memory, "a replay buffer of 2 transitions needs") {
                _ = try ReplayBuffer(capacity: 2, observationSize: observations, actionSize: actions)
            }
        }
        refused(.size, "capacity is 0; allowed: at least 1") {
            _ = try ReplayBuffer(capacity: 0, observationSize: 3, actionSize: 1)
        }
        refused(.size, "observationSize is -1") {
            _ = try ReplayBuffer(capacity: 1, observationSize: -1, actionSize: 1)
        }
    }
}
