import Foundation
import PerturbedEquations
import Testing

/// A loss that jumps brings the last good state back, with less noise; after enough tries the run stops there.
@Suite struct SpikeGuardTests {
    static let guarding = SpikeGuard(
        deviations: 6, window: 10, minimumHistory: 5, snapshotEvery: 4, cut: 0.5, attempts: 2)

    /// A run whose loss is given from outside.
    final class Run {
        let tensors = Tensors<Float>(sizes: [5, 4100]) { _, i in Float(i % 9) }
        let optimizer: PerturbedOptimizer

        init(_ guarding: SpikeGuard = SpikeGuardTests.guarding) throws {
            optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 0.01, amsgrad: true), perturbation: Gaussian(sigma: 0.5),
                    stability: Stability(rollbackOnSpike: guarding)), seed: 4)
        }

        @discardableResult
        func step(loss: Double?) throws -> StepReport {
            tensors.setGradient { _, i, theta in theta - Float(i % 4) }
            return try optimizer.step(tensors.buffers, loss: loss)
        }

        func everything() throws -> [[UInt8]] {
            let state = try optimizer.stateBytes().sorted { $0.key < $1.key }.map(\.value)
            return state + tensors.bits.map { $0.flatMap { [UInt8](withUnsafeBytes(of: $0) { Array($0) }) } }
        }
    }

    @Test(arguments: [1e9, .infinity, -.infinity, .nan])
    func aSpikeRestoresTheSnapshot(loss: Double) throws {
        let run = try Run()
        // Snapshots before steps 0, 4 and 8; the spike comes at 10.
        var good: [[UInt8]] = []
        for step in 0..<10 {
            if step == 8 { good = try run.everything() }
            #expect(try run.step(loss: 1 + 0.01 * Double(step % 3)).outcome == .applied)
        }
        #expect(try run.everything() != good)
        let report = try run.step(loss: loss)
        #expect(report.outcome == .rolledBack)
        #expect(try run.everything() == good)
        #expect(run.optimizer.counts.rolledBack == 1)
        // The noise is cut from then on, for good.
        #expect(try run.step(loss: 1).sigma == 0.25)
        #expect(run.optimizer.step == 12)
    }

    /// The update counter returns too: Adam's bias corrections after a rollback are those of the snapshot.
    @Test func biasCorrectionsReturn() throws {
        func adam(_ losses: [Double]) throws -> [Double] {
            var theta = [1.0]
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 0.1), stability: Stability(rollbackOnSpike: Self.guarding)),
                seed: 4)
            for loss in losses { try optimizer.step(&theta, gradient: [theta[0]], loss: loss) }
            return theta
        }
        // Two steps back to the start (the snapshot before step 0), then three more, equal three steps.
        let again = try adam([1, 1, .nan, 1, 1, 1])
        #expect(try adam([1, 1, 1]) == again)
    }

    @Test func ordinaryLossesPass() throws {
        let run = try Run()
        for step in 0..<200 {
            // Noise of ±10% around a slope: never 6 deviations above the median of the last ten.
            let loss = 5 * exp(-Double(step) / 100) * (1 + 0.1 * sin(Double(step) * 2.4))
            #expect(try run.step(loss: loss).outcome == .applied, "step \(step), loss \(loss)")
        }
        // A drop is no spike.
        #expect(try run.step(loss: -1000).outcome == .applied)
    }

    /// The threshold is median + k·max(MAD, |median|/1000), strictly.
    @Test func theThreshold() throws {
        for (loss, outcome) in [(3.5, StepReport.Outcome.applied), (3.501, .rolledBack)] {
            let run = try Run(SpikeGuard(deviations: 3, window: 10, minimumHistory: 5))
            // Median 2, MAD 0.5.
            for loss in [1, 1.5, 2, 2.5, 3] { try run.step(loss: loss) }
            #expect(try run.step(loss: loss).outcome == outcome)
        }
        for (loss, outcome) in [(2.011, StepReport.Outcome.applied), (2.013, .rolledBack)] {
            let run = try Run()
            for _ in 0..<8 { try run.step(loss: 2) }
            #expect(try run.step(loss: loss).outcome == outcome, "a flat loss has a floor of deviation")
        }
    }

    /// Near zero, one bad batch among perfect ones is no spike once a smallest deviation is given.
    @Test func lossesNearZero() throws {
        for (floor, outcome) in [(0.0, StepReport.Outcome.rolledBack), (0.1, .applied)] {
            let run = try Run(
                SpikeGuard(
                    deviations: 6, smallestDeviation: floor, window: 10, minimumHistory: 5, snapshotEvery: 1))
            for step in 0..<10 { try run.step(loss: 1e-6 * Double(1 + step % 3)) }
            #expect(try run.step(loss: 0.5).outcome == outcome)
            #expect(try run.step(loss: 0.7).outcome == .rolledBack)
        }
    }

    /// Before `minimumHistory` losses are known only a loss that is no number is a spike.
    @Test func minimumHistory() throws {
        let run = try Run()
        for loss in [1, 1, 1, 1, 1000.0] { #expect(try run.step(loss: loss).outcome == .applied) }
        #expect(try run.step(loss: 2000).outcome == .rolledBack)
    }

    /// Spikes up to `attempts` in a row are rolled back; the next one stops the run at the last good state.
    @Test func givingUp() throws {
        let run = try Run()
        for _ in 0..<7 { try run.step(loss: 1) }
        for _ in 0..<2 { #expect(try run.step(loss: .nan).outcome == .rolledBack) }
        let good = try run.everything()
        // An accepted loss in between is not enough for new attempts.
        try run.step(loss: 1)
        #expect(try run.everything() != good)
        let error = try #require(throws: DivergenceError.self) { try run.step(loss: 1e6) }
        #expect(error.step == 10 && error.loss == 1e6 && error.attempts == 2)
        // Step 9 took a snapshot only if one was due: the last was before step 4.
        #expect(error.restoredStep == 9 || error.restoredStep == 4)
        #expect(try run.everything() == good)
        #expect("\(error)".contains("1000000.0") && "\(error)".contains("step 10"))
        #expect(run.optimizer.counts.rolledBack == 2)
    }

    /// `window` accepted losses after a rollback give all attempts back.
    @Test func attemptsReset() throws {
        let run = try Run()
        for _ in 0..<5 {
            for _ in 0..<10 { try run.step(loss: 1) }
            for _ in 0..<2 { #expect(try run.step(loss: .infinity).outcome == .rolledBack) }
        }
        #expect(run.optimizer.counts.rolledBack == 10)
        for _ in 0..<9 { try run.step(loss: 1) }
        #expect(throws: DivergenceError.self) { try run.step(loss: .infinity) }
    }

    /// A loss that is no number from the start has no good state to return to: nothing is touched.
    @Test func badFromTheStart() throws {
        let run = try Run()
        let start = try run.everything()
        let error = try #require(throws: DivergenceError.self) { try run.step(loss: .nan) }
        #expect(error.restoredStep == nil)
        #expect(try run.everything() == start)
    }

    /// After a rollback the restored loss is what it was, higher than the latest: that is no spike.
    @Test func aFallingLossSurvivesARollback() throws {
        let run = try Run(
            SpikeGuard(deviations: 6, window: 20, minimumHistory: 5, snapshotEvery: 15, attempts: 2))
        for step in 0..<14 { try run.step(loss: pow(0.7, Double(step))) }
        #expect(try run.step(loss: .nan).outcome == .rolledBack)
        for step in 0..<14 {
            #expect(try run.step(loss: pow(0.7, Double(step))).outcome == .applied, "step \(step) again")
        }
        #expect(run.optimizer.counts.rolledBack == 1)
    }

    /// With cut 0 the noise is off after the first rollback; deterministic terms stay.
    @Test func cutToNothing() throws {
        var theta = [1.0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0.5), perturbation: Gaussian(sigma: 3), GradientScaled(alpha: 3),
                DropNoise(probability: 0.9), Orthogonal(sigma: 2), WeightPenalty(l2: 0.5),
                stability: Stability(rollbackOnSpike: SpikeGuard(cut: 0))), seed: 1)
        try optimizer.step(&theta, gradient: [1], loss: 1)
        try optimizer.step(&theta, gradient: [1], loss: .nan)
        #expect(theta == [1])
        try optimizer.step(&theta, gradient: [1], loss: 1)
        #expect(theta == [1 - 0.5 * 1.5])
    }

    /// Without a loss the guard stays out of the way.
    @Test func withoutALoss() throws {
        let run = try Run()
        for _ in 0..<5 { #expect(try run.step(loss: nil).outcome == .applied) }
    }
}
