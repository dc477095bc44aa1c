import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// A run that is saved, ended and taken up again gives the bits of one that was not: promise 5.
@Suite struct ResumeTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.05),
        SGD(learningRate: 0.05, momentum: Scheduled(LinearSchedule(from: 0, to: 0.9)), dampening: 0.3),
        Momentum(learningRate: 0.05), Nesterov(learningRate: Scheduled(CosineSchedule(from: 0.05)).warmup(5)),
        Adam(learningRate: 0.01), Adam(weightDecay: 0.1, amsgrad: true),
        Adam(learningRate: 0.01, beta1: Scheduled(LinearSchedule(from: 0.5, to: 0.9))),
        AdamW(beta2: Scheduled(CosineSchedule(from: 0.9, to: 0.99))), AdamW(), RMSProp(),
        RMSProp(momentum: 0.9, centred: true),
        AdaGrad(learningRateDecay: 0.01, initialAccumulator: 0.1), AdamPE(learningRate: 0.01),
        AdamPE(beta2: Scheduled(LinearSchedule(from: 0.9, to: 0.99)), weightDecay: 0.1, decoupled: true),
        RMSPE(momentum: 0.5), PNM(learningRate: 0.05), AdaPNM(learningRate: 0.01),
        AdaPNM(beta1: Scheduled(LinearSchedule(from: 0.9, to: 0.8)), amsgrad: false),
        SGLD(learningRate: 0.01), PSGLD(learningRate: 0.01, dataSize: 3),
        SGHMC(learningRate: 0.001, gradientNoise: 0.05), SGNHT(learningRate: 0.001),
    ]

    static let horizon = 60

    /// One training run over parameters of both scalar types, with groups, noise and a spike guard; its loss
    /// and gradient depend on nothing but θ and the step.
    final class Run {
        let narrow: Tensors<Float>
        let wide: Tensors<Double>
        let optimizer: PerturbedOptimizer
        var outcomes: [StepReport.Outcome] = []

        init(_ rule: any UpdateRule, seed: UInt64 = 8) throws {
            narrow = Tensors(sizes: [7, 5000]) { _, i in Float(i % 11) / 4 }
            wide = Tensors(sizes: [33, 1]) { _, i in Double(i % 5) }
            optimizer = try PerturbedOptimizer(
                parameters: narrow.specs(["a.bias", "a.weight"]) + wide.specs(["b.weight", "b.bias"]),
                equation: PerturbedEquation(
                    rule: rule,
                    perturbation: Gaussian(sigma: .absolute(Scheduled(LinearSchedule(from: 0.2, to: 0)))),
                    Orthogonal(sigma: .relative(0.2, .all)), DropNoise(probability: 0.1),
                    stability: Stability(
                        clipGlobalNorm: 50, perturbationToGradient: 2,
                        rollbackOnSpike: SpikeGuard(
                            window: 12, minimumHistory: 4, snapshotEvery: 7, attempts: 20)),
                    controllers: [
                        Plateau(scales: .learningRate, factor: 0.7, patience: 1, window: 3),
                        TargetNoiseRatio(target: 0.3, every: 4), LossImprovement(window: 5),
                        ParameterDistance(scales: .learningRate, target: 0.01, of: .step, every: 3),
                    ]),
                groups: [
                    ParameterGroup(["*.bias"], perturbation: []),
                    ParameterGroup(
                        ["b.*"], rule: Adam(learningRate: 0.02), perturbation: [Laplace(sigma: 0.1)]),
                ], seed: seed, horizon: horizon)
        }

        func advance(to end: Int) throws {
            while optimizer.step < end {
                let step = optimizer.step
                narrow.setGradient { t, i, theta in
                    step == 20 && t == 1 && i == 9 ? .nan : theta - Float(i % 3)
                }
                wide.setGradient { _, i, theta in theta + sin(Double(i + step)) }
                wide.hasGradient = [true, step % 4 != 1]
                let loss = [13, 31, 32].contains(step) ? 1e9 : 1 + 0.1 * sin(Double(step))
                let report = try optimizer.step(narrow.buffers + wide.buffers, loss: loss)
                outcomes.append(report.outcome)
            }
        }

        var bits: [[UInt64]] { narrow.bits + wide.bits }
    }

    @Test(arguments: rules.indices)
    func takingUpARun(_ index: Int) throws {
        var random = SeededGenerator()
        let whole = try Run(Self.rules[index])
        try whole.advance(to: Self.horizon)
        #expect(Set(whole.outcomes) == [.applied, .skippedNonFinite, .rolledBack])
        let directory = try TemporaryDirectory()
        let places = [0, 14, 21, 33] + (0..<3).map { _ in Int.random(in: 1..<Self.horizon, using: &random) }
        for place in places {
            let first = try Run(Self.rules[index])
            try first.advance(to: place)
            try first.optimizer.saveState(to: directory.file("state"))
            // A new process has a new optimizer, and θ from the checkpoint.
            let second = try Run(Self.rules[index])
            for t in 0..<2 {
                second.narrow[t] = first.narrow[t]
                second.wide[t] = first.wide[t]
            }
            try second.optimizer.loadState(from: directory.file("state"))
            #expect(second.optimizer.step == place)
            try second.advance(to: Self.horizon)
            #expect(second.bits == whole.bits, "from step \(place), seed \(random.seed)")
            #expect(try second.optimizer.stateBytes() == whole.optimizer.stateBytes())
            #expect(second.optimizer.counts == whole.optimizer.counts)
            #expect(second.optimizer.scalars == whole.optimizer.scalars)
        }
        // The comparison can fail: the same run from other noise.
        let other = try Run(Self.rules[index], seed: 9)
        try other.advance(to: Self.horizon)
        #expect(other.bits != whole.bits)
    }

    /// The names and numbers are those that PyTorch uses, in a plain safetensors file.
    @Test func theFileIsReadable() throws {
        var theta: [Float] = [1, 2, 3]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("fc.weight", shape: [3])], equation: PerturbedEquation(rule: Adam()),
            seed: 1)
        try optimizer.step(&theta, gradient: [1, -2, 4])
        let directory = try TemporaryDirectory()
        try optimizer.saveState(to: directory.file("o.safetensors"))
        let file = try SafetensorsFile(contentsOf: directory.file("o.safetensors"))
        #expect(
            file.tensors.map(\.name).sorted() == ["state/fc.weight/exp_avg", "state/fc.weight/exp_avg_sq"])
        let average = try file.tensor("state/fc.weight/exp_avg").floats()
        let square = try file.tensor("state/fc.weight/exp_avg_sq").floats()
        for (i, g) in [1, -2, 4.0 as Float].enumerated() {
            #expect(abs(average[i] - 0.1 * g) < 1e-7 && abs(square[i] - 0.001 * g * g) < 1e-7)
        }
    }
}
