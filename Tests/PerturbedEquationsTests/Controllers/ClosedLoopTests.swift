import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Controllers in the optimizer: they reach what they scale, settle where they should, and are saved.
@Suite struct ClosedLoopTests {
    static func optimizer(
        _ tensors: Tensors<Double>, _ rule: any UpdateRule, _ terms: [any Perturbation],
        _ controllers: [any Controller], _ stability: Stability = Stability()
    ) throws -> PerturbedOptimizer {
        try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: rule, perturbation: terms, stability: stability, controllers: controllers), seed: 11)
    }

    /// On the strengths: as if every σ were that much smaller.
    @Test func theStrengths() throws {
        let halving = Plateau(scales: .sigma, factor: 0.5, patience: 0, window: 1)
        func run(_ controllers: [any Controller], _ terms: [any Perturbation]) throws -> [[Double]] {
            let tensors = Tensors<Double>(sizes: [300]) { _, i in Double(i % 7) }
            let optimizer = try Self.optimizer(tensors, SGD(learningRate: 0), terms, controllers)
            for _ in 0..<3 { try optimizer.step(tensors.buffers, loss: 1) }
            // The first loss is the best one; the second and third halve, so that the fourth step has a quarter.
            let moving = try Self.optimizer(tensors, SGD(learningRate: 1), terms, controllers)
            let directory = try TemporaryDirectory()
            try optimizer.saveState(to: directory.file("s"))
            try moving.loadState(from: directory.file("s"))
            tensors.setGradient { _, i, _ in sin(Double(i)) }
            let report = try moving.step(tensors.buffers, loss: 1)
            #expect(
                report.strengthFactor == (controllers.isEmpty ? 1 : 0.25) && report.learningRateFactor == 1)
            return tensors.all
        }
        let odds = 0.25 * 0.25 * 9.0  // p = 0.9, a quarter of the deviation
        let pairs: [([any Perturbation], [any Perturbation])] = [
            ([Gaussian(sigma: 0.4)], [Gaussian(sigma: 0.1)]),
            ([Orthogonal(sigma: .relative(0.4))], [Orthogonal(sigma: .relative(0.1))]),
            ([GradientScaled(alpha: 2)], [GradientScaled(alpha: 0.5)]),
            ([DropNoise(probability: 0.9)], [DropNoise(probability: Scheduled(odds / (1 + odds)))]),
        ]
        for (full, quarter) in pairs {
            for (a, b) in zip(try run([halving], full).joined(), try run([], quarter).joined()) {
                #expect(abs(a - b) < 1e-6, "\(full)")
            }
        }
    }

    /// On the learning rate, for every group's rule, decoupled decay included.
    @Test func theLearningRate() throws {
        func run(_ controllers: [any Controller], _ rates: [Double]) throws -> [[UInt64]] {
            let tensors = Tensors<Double>(sizes: [20, 30]) { _, i in Double(i % 7) - 3 }
            let pieces = Scheduled(PiecewiseSchedule(rates, boundaries: (1..<rates.count).map { .steps($0) }))
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: AdamW(learningRate: pieces, weightDecay: 0.3), perturbation: [Gaussian(sigma: 0.2)],
                    controllers: controllers),
                groups: [ParameterGroup(["p1"], rule: SGD(learningRate: pieces, momentum: 0.9))], seed: 11)
            for step in rates.indices {
                tensors.setGradient { _, i, theta in theta + Double(i % 3) }
                let report = try optimizer.step(tensors.buffers, loss: 1)
                #expect(
                    report.learningRate
                        == (controllers.isEmpty ? rates[step] : [0.1, 0.1, 0.05, 0.025][step]))
            }
            return tensors.bits
        }
        let halving = Plateau(scales: .learningRate, factor: 0.5, patience: 0, window: 1)
        #expect(try run([halving], [0.1, 0.1, 0.1, 0.1]) == run([], [0.1, 0.1, 0.05, 0.025]))
        // A controller that has nothing to say changes not a bit.
        #expect(
            try run([], [0.1, 0.1, 0.1, 0.1])
                != run([], [0.1, 0.1, 0.05, 0.025]))
    }

    /// The ratio settles at its target, from far above and far below, of the gradient and of the update.
    @Test(arguments: [TargetNoiseRatio.Measure.gradient, .update], [1e-4, 100])
    func theRatioSettles(of: TargetNoiseRatio.Measure, sigma: Double) throws {
        let tensors = Tensors<Double>(sizes: [500, 2000]) { _, i in cos(Double(i)) }
        let optimizer = try Self.optimizer(
            tensors, of == .gradient ? SGD(learningRate: 1e-4) : Adam(learningRate: 1e-4),
            [Gaussian(sigma: .absolute(Scheduled(sigma)))],
            [TargetNoiseRatio(target: 0.2, of: of, every: 5)])
        optimizer.reportsEffectivePerturbation = true
        var ratios: [Double] = []
        for step in 0..<300 {
            tensors.setGradient { _, i, theta in theta + sin(Double(i)) }
            let report = try optimizer.step(tensors.buffers, measure: true)
            if step >= 200 {
                ratios.append(
                    try #require(
                        of == .gradient ? report.perturbationToGradient : report.effectivePerturbation))
            }
        }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        #expect(abs(mean / 0.2 - 1) < 0.1, "\(mean)")
    }

    /// After a rollback the controller stands where it stood at the snapshot, and aims at what the cut leaves.
    @Test func aRollbackCutsTheTarget() throws {
        let tensors = Tensors<Double>(sizes: [2000]) { _, i in cos(Double(i)) }
        let optimizer = try Self.optimizer(
            tensors, SGD(learningRate: 0), [Gaussian(sigma: 1)], [TargetNoiseRatio(target: 0.2, every: 1)],
            Stability(
                rollbackOnSpike: SpikeGuard(window: 10, minimumHistory: 5, snapshotEvery: 1000, cut: 0.5)))
        tensors.setGradient { _, i, _ in sin(Double(i)) }
        func advance(_ steps: Int) throws -> Double {
            var last = 0.0
            for _ in 0..<steps {
                last = try optimizer.step(tensors.buffers, loss: 1, measure: true).perturbationToGradient!
            }
            return last
        }
        #expect(abs(try advance(40) - 0.2) < 0.01)
        #expect(try optimizer.step(tensors.buffers, loss: .nan).outcome == .rolledBack)
        #expect(optimizer.controllers[0].factor == 1, "as at the snapshot before the first step")
        #expect(abs(try advance(40) - 0.1) < 0.005)
    }

    /// While σ_max bounds the strength the factor does not grow: there would be no end to it.
    @Test func theFactorDoesNotWindUp() throws {
        for of in [TargetNoiseRatio.Measure.gradient, .update] {
            let tensors = Tensors<Double>(sizes: [200]) { _, i in cos(Double(i)) }
            let optimizer = try Self.optimizer(
                tensors, SGD(learningRate: 1e-4), [Gaussian(sigma: 0.001)],
                [
                    TargetNoiseRatio(target: 0.5, of: of, every: 1),
                    ParameterDistance(target: 1, every: 1, rate: 2),
                ], Stability(sigmaMax: 1e-5))
            for _ in 0..<20 {
                tensors.setGradient { _, i, theta in theta + sin(Double(i)) }
                try optimizer.step(tensors.buffers)
            }
            #expect(optimizer.controllers.map(\.factor) == [1, 1], "\(of)")
            #expect(optimizer.counts.strengthsBounded == 20)
        }
    }

    /// Steps without noise say nothing of the distance that it makes.
    @Test func noDistanceIsNoMeasurement() throws {
        let tensors = Tensors<Double>(sizes: [200]) { _, i in cos(Double(i)) }
        let optimizer = try Self.optimizer(
            tensors, SGD(learningRate: 1e-4),
            [Curriculum([.init(from: 0, nil), .init(from: 10, Gaussian(sigma: 0.001))])],
            [ParameterDistance(target: 1, every: 1, rate: 2)])
        for step in 0..<12 {
            tensors.setGradient { _, i, theta in theta + sin(Double(i)) }
            try optimizer.step(tensors.buffers)
            #expect(optimizer.controllers[0].factor == (step < 10 ? 1 : step == 10 ? 2 : 4), "\(step)")
        }
    }

    /// What the batch's part must be given for is asked for by name; noted once, it holds for one step. Both norms are
    /// those before any clipping.
    @Test(arguments: [
        Stability(), Stability(clipValue: 0.5), Stability(clipNorm: 0.5), Stability(clipGlobalNorm: 0.5),
        Stability(clipAdaptive: AdaptiveClip(ratio: 0.5)), Stability(clipValue: 0.5, clipNorm: 0.1),
    ])
    func aPartOfTheBatch(_ stability: Stability) throws {
        let tensors = Tensors<Double>(sizes: [3, 5]) { _, _ in 0 }
        let optimizer = try Self.optimizer(
            tensors, SGD(learningRate: 1), [],
            [GradientNoiseScale(scales: .learningRate, smoothing: 0, minimumHistory: 1)], stability)
        #expect(optimizer.needsSmallBatch)
        // ‖g_b‖² = 8·9 with b = 2, ‖g_B‖² = 8·4 with B = 8: S = (8·32 − 2·72)/6, T = 40/(1/2 − 1/8), R = T/S/8.
        tensors.setGradient { _, _, _ in 3 * 0.25 }
        optimizer.noteSmallBatch(tensors.buffers, share: 0.25, examples: 2, of: 8)
        tensors.setGradient { _, _, _ in 2 }
        try optimizer.step(tensors.buffers)
        let ratio = (40 / 0.375) / (112 / 6) / 8
        #expect(abs(optimizer.controllers[0].factor - 1 / (1 + ratio)) < 1e-14)
        let error = #expect(throws: ConfigurationError.self) { try optimizer.step(tensors.buffers) }
        #expect(error?.message.contains("micro-batches") == true && optimizer.step == 1)
    }

    /// A state of other controllers, or a damaged one, is refused.
    @Test func statesOfOthers() throws {
        let tensors = Tensors<Double>(sizes: [3]) { _, _ in 0 }
        let directory = try TemporaryDirectory()
        let noise = [Gaussian(sigma: 0.1)]
        let plateau = try Self.optimizer(tensors, SGD(learningRate: 1), noise, [Plateau()])
        try plateau.saveState(to: directory.file("s"))
        for others in [[], [LossImprovement()], [Plateau(), Plateau()]] as [[any Controller]] {
            let other = try Self.optimizer(tensors, SGD(learningRate: 1), noise, others)
            let error = #expect(throws: OptimizerStateError.self) {
                try other.loadState(from: directory.file("s"))
            }
            #expect(error?.message.contains("plateau") == true)
        }
    }
}
