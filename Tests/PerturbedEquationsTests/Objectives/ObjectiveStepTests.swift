import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// What every parameter perturbation must keep: θ to the bit, one step's order, and its state over a resume.
@Suite struct ObjectiveStepTests {
    /// A value of each type that does something.
    static let all: [any ParameterPerturbation] = [SAM(rho: 0.1), ASAM(rho: 0.3)]

    /// The same with its strength 0, where it must be the base rule.
    static let none: [any ParameterPerturbation] = [SAM(rho: 0), ASAM(rho: 0)]

    struct Failure: Error, Equatable {}

    static func equation(
        _ perturbation: (any ParameterPerturbation)?, rule: any UpdateRule = Adam(learningRate: 0.01),
        stability: Stability = Stability(clipGlobalNorm: 0.5)
    ) -> PerturbedEquation {
        PerturbedEquation(
            rule: rule, parameterPerturbation: perturbation, perturbation: Gaussian(sigma: .relative(0.1)),
            stability: stability)
    }

    @Test(arguments: none.indices) func zeroStrengthIsTheBaseRule(_ index: Int) throws {
        let plain = try Bowl<Float>(Self.equation(nil))
        let perturbed = try Bowl<Float>(Self.equation(Self.none[index]))
        for _ in 0..<20 {
            try plain.step()
            try perturbed.step()
        }
        #expect(plain.tensors.bits == perturbed.tensors.bits)
        #expect(try plain.optimizer.stateBytes() == perturbed.optimizer.stateBytes())
        // The comparison can fail.
        let other = try Bowl<Float>(Self.equation(Self.all[index]))
        for _ in 0..<20 { try other.step() }
        #expect(plain.tensors.bits != other.tensors.bits)
    }

    /// A closure that throws at its n-th call, for each n: θ and the state are as before, and the step can be
    /// taken again.
    @Test(arguments: all.indices) func throwingClosures(_ index: Int) throws {
        let whole = try Bowl<Float>(Self.equation(Self.all[index]))
        let broken = try Bowl<Float>(Self.equation(Self.all[index]))
        for _ in 0..<4 {
            let calls = whole.evaluations.count
            try whole.step()
            let before = (broken.tensors.bits, try broken.optimizer.stateBytes(), broken.optimizer.scalars)
            for call in 0..<whole.evaluations.count - calls {
                broken.before = { if $0.number == call { throw Failure() } }
                #expect(throws: Failure()) { try broken.step() }
                #expect(broken.tensors.bits == before.0, "thrown at call \(call)")
                #expect(try broken.optimizer.stateBytes() == before.1)
                #expect(broken.optimizer.scalars == before.2)
            }
            broken.before = { _ in }
            try broken.step()
            #expect(broken.tensors.bits == whole.tensors.bits)
        }
    }

    /// A gradient that is not finite, in any evaluation, skips the step and touches nothing.
    @Test(arguments: all.indices) func nonFinite(_ index: Int) throws {
        let bowl = try Bowl<Float>(Self.equation(Self.all[index]))
        for _ in 0..<3 { try bowl.step() }
        let start = bowl.evaluations.count
        try bowl.step()
        for call in 0..<bowl.evaluations.count - start {
            let before = (bowl.tensors.bits, try bowl.optimizer.stateBytes())
            let skipped = bowl.optimizer.counts.skipped
            let report = try bowl.optimizer.step(bowl.tensors.buffers) { evaluation in
                let loss = bowl.loss(gradients: evaluation.needsGradient)
                guard evaluation.number == call else { return loss }
                bowl.tensors.setGradient { t, i, _ in t == 1 && i == 60 ? .infinity : 1 }
                return .nan
            }
            #expect(report.outcome == .skippedNonFinite)
            #expect(bowl.optimizer.counts.skipped == skipped + 1)
            #expect(bowl.tensors.bits == before.0, "\(call)")
            #expect(try bowl.optimizer.stateBytes() == before.1, "\(call)")
        }
    }

    /// The θ̃ of every evaluation, and what the step makes of it, are the same on any number of threads.
    @Test(arguments: all.indices) func threads(_ index: Int) throws {
        func run(_ threads: Int) throws -> [[[UInt64]]] {
            let bowl = try Bowl<Float>(
                Self.equation(Self.all[index]), shapes: [[7, 9], [40_000], [0], [1]], threads: threads)
            for _ in 0..<3 { try bowl.step() }
            return bowl.places + [bowl.tensors.bits]
        }
        let one = try run(1)
        #expect(try run(2) == one)
        #expect(try run(5) == one)
    }

    /// Saved, ended and taken up again with its base rule's state: the same bits.
    @Test(arguments: all.indices) func resume(_ index: Int) throws {
        let directory = try TemporaryDirectory()
        let equation = Self.equation(
            Self.all[index],
            stability: Stability(
                rollbackOnSpike: SpikeGuard(window: 12, minimumHistory: 4, snapshotEvery: 5, attempts: 9)))
        func make() throws -> Bowl<Float> { try Bowl(equation, horizon: 30) }
        func advance(_ bowl: Bowl<Float>, to end: Int) throws {
            while bowl.optimizer.step < end {
                let step = bowl.optimizer.step
                try bowl.optimizer.step(bowl.tensors.buffers) { evaluation in
                    let loss = bowl.loss(gradients: evaluation.needsGradient)
                    if step == 12 { bowl.tensors.setGradient { _, _, _ in .nan } }
                    return step == 17 ? 1e9 : loss
                }
            }
        }
        let whole = try make()
        try advance(whole, to: 30)
        #expect(whole.optimizer.counts.skipped == 1 && whole.optimizer.counts.rolledBack == 1)
        for place in [0, 1, 7, 13, 16, 18] {
            let first = try make()
            try advance(first, to: place)
            try first.optimizer.saveState(to: directory.file("state"))
            let second = try make()
            for t in 0..<2 { second.tensors[t] = first.tensors[t] }
            try second.optimizer.loadState(from: directory.file("state"))
            #expect(second.optimizer.scalars == first.optimizer.scalars)
            try advance(second, to: 30)
            #expect(second.tensors.bits == whole.tensors.bits, "from step \(place)")
            #expect(try second.optimizer.stateBytes() == whole.optimizer.stateBytes())
            #expect(second.optimizer.scalars == whole.optimizer.scalars)
        }
        // A state of another perturbation is refused.
        let other = try Bowl<Float>(Self.equation(nil), horizon: 30)
        #expect(throws: OptimizerStateError.self) {
            try other.optimizer.loadState(from: directory.file("state"))
        }
    }

    @Test func evaluationsAreCounted() throws {
        let bowl = try Bowl<Float>(Self.equation(SAM()))
        let report = try bowl.step()
        #expect(report.evaluations == EvaluationCounts(gradients: 2))
        #expect(bowl.evaluations.map(\.number) == [0, 1] && bowl.evaluations.allSatisfy(\.needsGradient))
        try bowl.step()
        #expect(bowl.optimizer.evaluations == EvaluationCounts(gradients: 4))
        let plain = try Bowl<Float>(Self.equation(nil))
        #expect(try plain.step().evaluations == EvaluationCounts(gradients: 1))
    }

    /// A frozen parameter is not perturbed.
    @Test(arguments: all.indices) func missingGradients(_ index: Int) throws {
        let bowl = try Bowl<Float>(Self.equation(Self.all[index]))
        bowl.tensors.hasGradient[0] = false
        for _ in 0..<3 { try bowl.step() }
        for place in bowl.places { #expect(place[0] == bowl.tensors.bits[0]) }
        #expect(bowl.tensors.bits[1] != bowl.places[0][1])
    }

    @Test func givenGradientsAreRefused() throws {
        let bowl = try Bowl<Float>(Self.equation(SAM()))
        let error = #expect(throws: ConfigurationError.self) {
            try bowl.optimizer.step(bowl.tensors.buffers)
        }
        #expect(error?.path == "parameterPerturbation" && error?.message.contains("sam") == true)
    }
}
