import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// The state of bfloat16 parameters: float32, saved, resumed and rolled back.
@Suite struct BFloat16StateTests {
    static let horizon = 40

    /// bfloat16 beside float32 and float64, under noise and a spike guard.
    final class Run {
        let half: BFloat16Tensors
        let narrow: Tensors<Float>
        let wide: Tensors<Double>
        let optimizer: PerturbedOptimizer
        var outcomes: [StepReport.Outcome] = []

        init(_ rule: any UpdateRule, _ rounding: Rounding = .stochastic, seed: UInt64 = 8) throws {
            half = BFloat16Tensors(sizes: [7, 3000]) { _, i in Float(i % 11) / 4 }
            narrow = Tensors(sizes: [40]) { _, i in Float(i % 11) / 4 }
            wide = Tensors(sizes: [33]) { _, i in Double(i % 5) }
            optimizer = try PerturbedOptimizer(
                parameters: half.specs(["h.bias", "h.weight"]) + narrow.specs(["n"]) + wide.specs(["w"]),
                equation: PerturbedEquation(
                    rule: rule, perturbation: Gaussian(sigma: .relative(0.2)), Orthogonal(sigma: 0.1),
                    stability: Stability(
                        clipGlobalNorm: 50,
                        rollbackOnSpike: SpikeGuard(
                            window: 12, minimumHistory: 4, snapshotEvery: 7, attempts: 20)),
                    rounding: rounding), seed: seed, horizon: horizon)
        }

        func advance(to end: Int) throws {
            while optimizer.step < end {
                let step = optimizer.step
                half.setGradient { t, i, theta in
                    step == 20 && t == 1 && i == 9 ? .nan : theta - Float(i % 3)
                }
                narrow.setGradient { _, _, theta in theta }
                wide.setGradient { _, i, theta in theta + sin(Double(i + step)) }
                let loss = [13, 31].contains(step) ? 1e9 : 1 + 0.1 * sin(Double(step))
                let report = try optimizer.step(
                    half.buffers + narrow.buffers + wide.buffers, loss: loss)
                outcomes.append(report.outcome)
            }
        }

        var bits: [[UInt64]] { half.bits.map { $0.map(UInt64.init) } + narrow.bits + wide.bits }
    }

    @Test(arguments: [0, 1, 2, 3])
    func takingUpARun(_ index: Int) throws {
        var random = SeededGenerator()
        let rule: any UpdateRule = [
            SGD(learningRate: 0.05), Momentum(learningRate: 0.05), AdamW(learningRate: 0.01),
            RMSProp(momentum: 0.9, centred: true),
        ][index]
        let rounding: Rounding = index == 1 ? .nearest : .stochastic
        let whole = try Run(rule, rounding)
        try whole.advance(to: Self.horizon)
        #expect(Set(whole.outcomes) == [.applied, .skippedNonFinite, .rolledBack])
        let directory = try TemporaryDirectory()
        for place in [0, 13, 14, 25, Int.random(in: 1..<Self.horizon, using: &random)] {
            let first = try Run(rule, rounding)
            try first.advance(to: place)
            try first.optimizer.saveState(to: directory.file("state"))
            let second = try Run(rule, rounding)
            second.half.bits = first.half.bits
            second.narrow[0] = first.narrow[0]
            second.wide[0] = first.wide[0]
            try second.optimizer.loadState(from: directory.file("state"))
            try second.advance(to: Self.horizon)
            #expect(second.bits == whole.bits, "from step \(place), seed \(random.seed)")
            #expect(try second.optimizer.stateBytes() == whole.optimizer.stateBytes())
        }
        let other = try Run(rule, rounding, seed: 9)
        try other.advance(to: Self.horizon)
        #expect(other.bits != whole.bits)
    }

    /// The state is float32 and the snapshot of θ bfloat16, in the file as in memory.
    @Test func theFile() throws {
        let run = try Run(Adam())
        try run.advance(to: 3)
        let directory = try TemporaryDirectory()
        try run.optimizer.saveState(to: directory.file("state"))
        let file = try SafetensorsFile(contentsOf: directory.file("state"))
        for name in ["exp_avg", "exp_avg_sq"] {
            #expect(try file.tensor("state/h.weight/\(name)").type == .float32)
            #expect(try file.tensor("snapshot/h.weight/state/\(name)").type == .float32)
            #expect(try file.tensor("state/w/\(name)").type == .float64)
        }
        let saved = try file.tensor("snapshot/h.weight/parameter")
        #expect(saved.type == .bfloat16)
        let start = BFloat16Tensors(sizes: [7, 3000]) { _, i in Float(i % 11) / 4 }
        #expect(try saved.floats() == start.floats[1])
        // A float32 optimizer of the same names refuses it.
        let other = try PerturbedOptimizer(
            parameters: run.optimizer.parameters.map { ParameterSpec($0.name, shape: $0.shape) },
            equation: run.optimizer.equation, seed: 8)
        #expect(throws: SafetensorsError.self) { try other.loadState(from: file) }
    }

    /// A spike brings back the very bits of θ.
    @Test func rollback() throws {
        let run = try Run(Momentum(learningRate: 0.05))
        try run.advance(to: 7)
        let good = run.half.bits
        try run.advance(to: 13)
        #expect(run.half.bits != good)
        try run.advance(to: 14)
        #expect(run.outcomes.last == .rolledBack)
        #expect(run.half.bits == good)
    }

    @Test func roundingInConfigurations() throws {
        let decoder = JSONDecoder()
        func rounding(_ text: String) throws -> Rounding {
            try decoder.decode(PerturbedEquation.self, from: Data(text.utf8)).rounding
        }
        #expect(try rounding(#"{"rule": {"adam": {}}}"#) == .stochastic)
        #expect(try rounding(#"{"rule": {"adam": {}}, "rounding": "nearest"}"#) == .nearest)
        #expect(throws: (any Error).self) { try rounding(#"{"rule": {"adam": {}}, "rounding": "up"}"#) }
        let written = try JSONEncoder().encode(PerturbedEquation(rule: Adam(), rounding: .nearest))
        #expect(try decoder.decode(PerturbedEquation.self, from: written).rounding == .nearest)
    }
}
