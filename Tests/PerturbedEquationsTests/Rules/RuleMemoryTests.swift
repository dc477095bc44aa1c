import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// What a rule is lent besides its state: noise of its own, sums, and numbers that live with the state.
@Suite struct RuleMemoryTests {
    static func optimizer(
        _ sizes: [Int] = [5, 9000, 0], threads: Int = 1, blockSize: Int = 16384, seed: UInt64 = 5,
        stability: Stability = Stability()
    ) throws -> (Tensors<Float>, PerturbedOptimizer) {
        let tensors = Tensors<Float>(sizes: sizes) { _, i in Float(i % 3) }
        tensors.setGradient { _, i, _ in Float(i % 7) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: ProbeRule(), perturbation: Gaussian(sigma: 0.5), stability: stability),
            groups: [ParameterGroup(["p2"], rule: SGD(learningRate: 1))], seed: seed,
            engine: Engine(
                parallel: .dispatch(threads: threads), blockSize: blockSize, serialBelow: 0))
        return (tensors, optimizer)
    }

    /// Addressed like all noise: the same for any threads and blocks; not the perturbation's.
    @Test func noise() throws {
        let (tensors, optimizer) = try Self.optimizer()
        let (others, other) = try Self.optimizer(threads: 3, blockSize: 64)
        for step in 0..<3 {
            try optimizer.step(tensors.buffers)
            try other.step(others.buffers)
            #expect(tensors.bits == others.bits)
            #expect(try optimizer.stateBytes() == other.stateBytes())
            let key = NoiseKey(seed: 5).derived("perturbation")
            for parameter in 0..<2 {
                let xi: [Float] = NoiseStream(key: key, step: step, parameter: parameter, term: 4095)
                    .values(tensors.sizes[parameter], .normal)
                let bytes = try #require(optimizer.stateBytes()["state/p\(parameter)/noise"])
                #expect(bytes == xi.withUnsafeBytes { Array($0) })
                // δ is other noise: θ = g + δ.
                let delta = tensors[parameter].enumerated().map { $1 - Float($0 % 7) }
                #expect(zip(delta, xi).allSatisfy { abs($0 - 0.5 * $1) > 1e-7 })
            }
        }
    }

    /// A parameter without a gradient, a skipped step, a rule without memory: not remembered.
    @Test func remembersUpdatesOnly() throws {
        let (tensors, optimizer) = try Self.optimizer()
        for step in 0..<6 {
            tensors.hasGradient = [step % 2 == 0, true, true]
            tensors.setGradient { tensor, _, _ in step == 3 && tensor == 1 ? .nan : 1 }
            try optimizer.step(tensors.buffers)
        }
        let memory = try #require(optimizer.scalars.ruleMemory)
        #expect(memory[0] == [103, 15, 0.25, 0] && memory[1] == [105, 45000, 0.25, 0] && memory[2] == .zero)
    }

    /// Saved and read with the state, and back at a rollback.
    @Test func livesWithTheState() throws {
        let guarding = Stability(rollbackOnSpike: SpikeGuard(minimumHistory: 4, snapshotEvery: 5, cut: 1))
        let (tensors, optimizer) = try Self.optimizer(stability: guarding)
        for step in 0..<12 { try optimizer.step(tensors.buffers, loss: 1 + 0.1 * sin(Double(step))) }
        let directory = try TemporaryDirectory()
        try optimizer.saveState(to: directory.file("state"))
        let (_, second) = try Self.optimizer(stability: guarding)
        try second.loadState(from: directory.file("state"))
        #expect(second.scalars == optimizer.scalars)
        #expect(optimizer.scalars.ruleMemory?[1][0] == 112)
        // The snapshot of step 10 was taken before that step's update.
        for one in [optimizer, second] {
            #expect(try one.step(tensors.buffers, loss: 1e9).outcome == .rolledBack)
            #expect(one.scalars.ruleMemory?[1][0] == 110)
        }
        // A state without the numbers, or with numbers for a rule that keeps none, is of another rule.
        let plain = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [1])], equation: PerturbedEquation(rule: ProbeRule()),
            seed: 1)
        var metadata = try plain.stateMetadata()
        metadata["optimizer"] = metadata["optimizer"]?.replacingOccurrences(
            of: #""ruleMemory":[[100,0,0,0]],"#, with: "")
        let tensor = try TensorEntry(
            name: "state/p/noise", type: .float32, shape: [1], data: Data(count: 4))
        let error = #expect(throws: OptimizerStateError.self) {
            try plain.loadState(from: SafetensorsFile(tensors: [tensor], metadata: metadata))
        }
        #expect(error?.message.contains("rule's numbers") == true, "\(error.map { "\($0)" } ?? "")")
    }
}
