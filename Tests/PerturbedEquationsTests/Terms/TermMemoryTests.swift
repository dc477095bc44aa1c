import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// What a term is lent besides g and θ: numbers and tensors that live with the state, sums in two rounds, the rule's
/// second moment, signals.
@Suite struct TermMemoryTests {
    /// A run over both scalar types, in blocks of 64, with a spike at step 12 that goes back to step 10.
    final class Run {
        let narrow: Tensors<Float>
        let wide: Tensors<Double>
        let optimizer: PerturbedOptimizer
        let hessian: [UnsafeMutableRawPointer]

        init(
            _ term: any Perturbation = ProbeTerm(), rule: any UpdateRule = Adam(learningRate: 0.01),
            threads: Int = 1
        ) throws {
            narrow = Tensors(sizes: [7, 1000]) { _, i in Float(i % 11) / 4 }
            wide = Tensors(sizes: [130]) { _, i in Double(i % 5) }
            hessian = (narrow.sizes + wide.sizes).enumerated().map { index, count in
                let memory = UnsafeMutableRawPointer.allocate(byteCount: 8 * count, alignment: 64)
                for i in 0..<count {
                    if index == 2 {
                        memory.storeBytes(of: Double(i), toByteOffset: 8 * i, as: Double.self)
                    } else {
                        memory.storeBytes(of: Float(i), toByteOffset: 4 * i, as: Float.self)
                    }
                }
                return memory
            }
            optimizer = try PerturbedOptimizer(
                parameters: narrow.specs(["a", "b"]) + wide.specs(["c"]),
                equation: PerturbedEquation(
                    rule: rule, perturbation: Gaussian(sigma: 0.1), term,
                    stability: Stability(
                        clipGlobalNorm: 30,
                        rollbackOnSpike: SpikeGuard(
                            window: 10, minimumHistory: 4, snapshotEvery: 5, cut: 1))),
                seed: 4, engine: Engine(parallel: .dispatch(threads: threads), blockSize: 64, serialBelow: 0))
        }

        deinit { for memory in hessian { memory.deallocate() } }

        var buffers: [ParameterBuffer] {
            zip(narrow.buffers + wide.buffers, hessian).map { buffer, hessian in
                var buffer = buffer
                buffer.signals[.hessianDiagonal] = UnsafeRawPointer(hessian)
                return buffer
            }
        }

        func advance(to end: Int) throws {
            while optimizer.step < end {
                let step = optimizer.step
                narrow.setGradient { t, i, theta in
                    step == 7 && t == 0 ? .nan : theta - Float(i % 3) + Float(t)
                }
                wide.setGradient { _, i, theta in theta + sin(Double(i + step)) }
                wide.hasGradient = [step % 3 != 1]
                try optimizer.step(buffers, loss: step == 12 ? 1e9 : 1 + 0.1 * sin(Double(step)))
            }
        }
    }

    static func outcome(_ run: Run) throws -> ([[UInt64]], [String: [UInt8]], OptimizerScalars) {
        (run.narrow.bits + run.wide.bits, try run.optimizer.stateBytes(), run.optimizer.scalars)
    }

    static func expectSame(_ a: Run, _ b: Run) throws {
        let (a, b) = (try outcome(a), try outcome(b))
        #expect(a.0 == b.0)
        #expect(a.1 == b.1)
        #expect(a.2 == b.2)
    }

    /// θ ← g + δ of one step, computed by hand.
    @Test func whatTheTermGets() throws {
        let tensors = Tensors<Float>(sizes: [3, 100]) { _, i in Float(i % 4) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: Reveal(), perturbation: ProbeTerm()), seed: 1,
            engine: Engine(blockSize: 32))
        let before = tensors.all
        tensors.setGradient { _, i, _ in Float(i) - 1 }
        var signal = (0..<100).map { Float($0) / 8 }
        try signal.withUnsafeMutableBytes { bytes in
            let buffers = tensors.buffers.map { buffer in
                var buffer = buffer
                buffer.signals[.hessianDiagonal] = UnsafeRawPointer(bytes.baseAddress!)
                return buffer
            }
            try optimizer.step(buffers)
        }
        for tensor in 0..<2 {
            for i in before[tensor].indices {
                // 11 = n, θ₀ − 1, h, Σ = 1 since Σ|g|/Σ|g| over the tensor is 1.
                let start = before[tensor][i] - 1
                let delta: Float = 11 * start + Float(i) / 8 + 1
                let expected: Float = Float(i) - 1 + delta
                #expect(abs(tensors[tensor][i] - expected) < 1e-4)
            }
        }
        let memory = try #require(optimizer.scalars.termMemory)
        // Σ|g| of both: 1 + 0 + 1, and 1 + 0 + 1 + … + 98.
        let sizes: Double = 2 + 1 + 98 * 99 / 2
        #expect(memory.map { $0[3] } == [sizes, sizes])
        #expect(memory.map { $0[1] } == [1, 1])
    }

    /// Threads and blocks change nothing; neither does being saved, dropped and loaded, wherever that is.
    @Test(arguments: [0, 1, 3, 8, 11, 12, 13, 19])
    func resumeGivesTheSameBits(_ stop: Int) throws {
        let whole = try Run()
        try whole.advance(to: 20)
        #expect(whole.optimizer.counts.rolledBack == 1 && whole.optimizer.counts.skipped == 1)
        let directory = try TemporaryDirectory()
        let first = try Run(threads: 3)
        try first.advance(to: stop)
        try first.optimizer.saveState(to: directory.file("state"))
        let second = try Run()
        for t in 0..<2 { second.narrow[t] = first.narrow[t] }
        second.wide[0] = first.wide[0]
        try second.optimizer.loadState(from: directory.file("state"))
        try second.advance(to: 20)
        try Self.expectSame(whole, second)
        // What the rollback took back, the skipped step, and the steps without a gradient are not counted.
        let memory = try #require(whole.optimizer.scalars.termMemory)
        #expect(memory[0][0] == 10 + 20 - 1 - 3)
        #expect(memory[0][1] == memory[0][0] - 10)
        #expect(memory[2][1] == memory[2][0] - 10 && memory[2][0] < memory[0][0])
    }

    @Test func theStateFileHoldsTheTensors() throws {
        let run = try Run()
        let directory = try TemporaryDirectory()
        try run.optimizer.saveState(to: directory.file("before"))
        try run.advance(to: 2)
        try run.optimizer.saveState(to: directory.file("after"))
        func names(_ file: String) throws -> [String] {
            try SafetensorsFile(contentsOf: directory.file(file)).tensors.map(\.name)
                .filter { $0.hasPrefix("term/") }.sorted()
        }
        #expect(try names("before").isEmpty)
        #expect(
            try names("after")
                == ["a", "b", "c"].flatMap { ["term/1/\($0)/start", "term/1/\($0)/unused"] })
        // Another list of terms refuses it.
        let other = try Run(Gaussian(sigma: 0.1))
        let error = #expect(throws: OptimizerStateError.self) {
            try other.optimizer.loadState(from: directory.file("after"))
        }
        #expect(error?.message.contains("terms") == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test func aMissingSignalIsAnError() throws {
        let run = try Run(ProbeTerm(zeroUntil: 2))
        #expect(run.optimizer.possibleSignals == [.hessianDiagonal])
        func step() throws { try run.optimizer.step(run.narrow.buffers + run.wide.buffers, loss: 1) }
        #expect(run.optimizer.requiredSignals == [])
        try step()
        try step()
        #expect(run.optimizer.requiredSignals == [.hessianDiagonal])
        let before = try Self.outcome(run)
        let error = #expect(throws: MissingSignalError.self) { try step() }
        #expect(error == MissingSignalError(term: "probeTerm", signal: .hessianDiagonal, parameter: "a"))
        let after = try Self.outcome(run)
        #expect(before.0 == after.0 && before.1 == after.1 && before.2 == after.2)
    }

    @Test func aRuleWithoutASecondMomentIsRefused() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Run(ProbeComposite([Gaussian(sigma: 1), ProbeTerm()], [1, 1]), rule: SGD(learningRate: 1))
        }
        #expect(error?.path == "perturbation.1.probeComposite.parts.1.probeTerm")
        #expect(error?.message.contains("sgd") == true && error?.message.contains("allowed") == true)
    }
}

/// θ ← ĝ, with a tensor that it says is its second moment.
private struct Reveal: UpdateRule {
    static let catalogueEntry = CatalogueEntry(
        name: "reveal", summary: "θ ← ĝ", equation: "θ ← ĝ", parameters: [], source: "")

    var learningRate: Scheduled = 1
    var stateNames: [String] { ["other", "v"] }
    var secondMomentName: String? { "v" }

    func update(_ block: UpdateBlock<Float>, at time: RuleTime) { reveal(block) }
    func update(_ block: UpdateBlock<Double>, at time: RuleTime) { reveal(block) }

    private func reveal<S: EquationScalar>(_ block: UpdateBlock<S>) {
        for i in block.parameters.indices { block.parameters[i] = block.perturbedGradient(i) }
    }
}
