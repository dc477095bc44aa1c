import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// What every parameter perturbation must keep: θ to the bit, one step's order, and its state over a resume.
@Suite struct ObjectiveStepTests {
    /// A value of each type that does something.
    static let all: [any ParameterPerturbation] = [
        SAM(rho: 0.1), ASAM(rho: 0.3), GSAM(rho: 0.1, alpha: 0.3), LookSAM(rho: 0.1, every: 3),
        AWP(gamma: 0.1, vectors: true), RandomWeights(sigma: 0.1), RandomWeights(scale: .one, samples: 3),
        ParameterSpaceNoise(sigma: 0.1, target: 0.01), EntropySGD(steps: 3), MeZO(epsilon: 0.01),
    ]

    /// The same with its strength 0, where it must be the base rule.
    static let none: [any ParameterPerturbation] = [
        SAM(rho: 0), ASAM(rho: 0), GSAM(rho: 0), LookSAM(rho: 0, every: 3), AWP(gamma: 0, vectors: true),
        RandomWeights(sigma: 0), RandomWeights(sigma: 0, scale: .one, samples: 3),
        ParameterSpaceNoise(sigma: 0),
    ]

    /// IVON samples the weights itself; it stands for rules that do.
    static let rules: [any UpdateRule] = [
        IVON(effectiveSampleSize: 1000, beta2: 0.9), IVON(effectiveSampleSize: 1000, samples: 3),
        BSAM(learningRate: 0.1, effectiveSampleSize: 1000, beta2: 0.9),
    ]

    /// Every perturbation under Adam, and every sampling rule.
    static var equations: [(Stability) -> PerturbedEquation] {
        all.map { perturbation in { equation(perturbation, stability: $0) } }
            + rules.map { rule in { equation(nil, rule: rule, stability: $0) } }
    }

    static let clipped = Stability(clipGlobalNorm: 0.5)

    struct Failure: Error, Equatable {}

    static func equation(
        _ perturbation: (any ParameterPerturbation)?, rule: any UpdateRule = Adam(learningRate: 0.01),
        stability: Stability = clipped
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
        let state = try perturbed.optimizer.stateBytes().filter { $0.key.hasPrefix("state/") }
        #expect(try plain.optimizer.stateBytes() == state)
        // The comparison can fail.
        let other = try Bowl<Float>(Self.equations[index](Self.clipped))
        for _ in 0..<20 { try other.step() }
        #expect(plain.tensors.bits != other.tensors.bits)
    }

    /// A closure that throws at its n-th call, for each n: θ and the state are as before, and the step can be
    /// taken again.
    @Test(arguments: equations.indices) func throwingClosures(_ index: Int) throws {
        let whole = try Bowl<Float>(Self.equations[index](Self.clipped))
        let broken = try Bowl<Float>(Self.equations[index](Self.clipped))
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
    @Test(arguments: equations.indices) func nonFinite(_ index: Int) throws {
        let bowl = try Bowl<Float>(Self.equations[index](Self.clipped))
        for _ in 0..<3 { try bowl.step() }
        let start = bowl.evaluations.count
        try bowl.step()
        var reached = 0
        for call in 0..<bowl.evaluations.count - start {
            // A loss alone that is not a number is none of a gradient; only MeZO makes one of it.
            let evaluation = bowl.evaluations[start + call]
            guard evaluation.needsGradient || bowl.optimizer.equation.parameterPerturbation is MeZO else {
                continue
            }
            // LookSAM takes its second evaluation in some steps only.
            for _ in 0..<4 {
                let before = (bowl.tensors.bits, try bowl.optimizer.stateBytes())
                let skipped = bowl.optimizer.counts.skipped
                var isReached = false
                let report = try bowl.optimizer.step(bowl.tensors.buffers) { evaluation in
                    let loss = bowl.loss(gradients: evaluation.needsGradient)
                    guard evaluation.number == call else { return loss }
                    isReached = true
                    if evaluation.needsGradient {
                        bowl.tensors.setGradient { t, i, _ in t == 1 && i == 60 ? .infinity : 1 }
                    }
                    return evaluation.needsGradient ? loss : .nan
                }
                guard isReached else { continue }
                #expect(report.outcome == .skippedNonFinite)
                #expect(bowl.optimizer.counts.skipped == skipped + 1)
                #expect(bowl.tensors.bits == before.0, "\(call)")
                #expect(try bowl.optimizer.stateBytes() == before.1, "\(call)")
                reached += 1
                break
            }
        }
        #expect(reached > 0)
    }

    /// The θ̃ of every evaluation, and what the step makes of it, are the same on any number of threads.
    @Test(arguments: equations.indices) func threads(_ index: Int) throws {
        func run(_ threads: Int) throws -> [[[UInt64]]] {
            let bowl = try Bowl<Float>(
                Self.equations[index](Self.clipped), shapes: [[7, 9], [40_000], [0], [1]], threads: threads)
            for _ in 0..<3 { try bowl.step() }
            return bowl.places + [bowl.tensors.bits]
        }
        let one = try run(1)
        #expect(try run(2) == one)
        #expect(try run(5) == one)
    }

    /// Saved, ended and taken up again with its base rule's state: the same bits.
    @Test(arguments: equations.indices) func resume(_ index: Int) throws {
        let directory = try TemporaryDirectory()
        let equation = Self.equations[index](
            Stability(
                rollbackOnSpike: SpikeGuard(window: 12, minimumHistory: 4, snapshotEvery: 5, attempts: 9)))
        func make() throws -> Bowl<Float> { try Bowl(equation, horizon: 30) }
        func advance(_ bowl: Bowl<Float>, to end: Int) throws {
            while bowl.optimizer.step < end {
                let step = bowl.optimizer.step
                try bowl.optimizer.step(bowl.tensors.buffers) { evaluation in
                    let loss = bowl.loss(gradients: evaluation.needsGradient)
                    if step == 12 && evaluation.needsGradient { bowl.tensors.setGradient { _, _, _ in .nan } }
                    // MeZO sees losses alone.
                    if step == 12 && !evaluation.needsGradient { return .nan }
                    return step == 17 ? 1e9 : loss
                }
            }
        }
        let whole = try make()
        try advance(whole, to: 30)
        #expect(whole.optimizer.counts.skipped + whole.optimizer.counts.rolledBack == 2)
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

    /// A frozen parameter is not updated, and not perturbed where the gradient says where to.
    @Test(arguments: all.indices) func missingGradients(_ index: Int) throws {
        let perturbation = Self.all[index]
        guard !(perturbation is MeZO) else { return }
        let bowl = try Bowl<Float>(Self.equation(perturbation))
        let frozen = bowl.tensors.bits[0]
        bowl.tensors.hasGradient[0] = false
        for _ in 0..<3 { try bowl.step() }
        #expect(bowl.tensors.bits[0] == frozen)
        if !(perturbation is RandomWeights || perturbation is ParameterSpaceNoise) {
            for place in bowl.places { #expect(place[0] == frozen) }
        }
        #expect(bowl.tensors.bits[1] != bowl.places[0][1])
    }

    /// Clipping, δ and the rule see the perturbed gradient once per logical step, whatever stage 1 does.
    @Test(arguments: equations.indices) func noiseIsDrawnOnce(_ index: Int) throws {
        // With g = 0 everywhere θ moves by the noise alone, −ησξ, however often the objective is asked.
        func move(_ equation: PerturbedEquation) throws -> [Double] {
            let bowl = try Bowl<Double>(equation)
            let start = bowl.flat
            try bowl.optimizer.step(bowl.tensors.buffers) { _ in
                bowl.tensors.setGradient { _, _, _ in 0 }
                return 1
            }
            return sum(bowl.flat, -1, start)
        }
        var equation = Self.equations[index](Stability())
        guard equation.parameterPerturbation != nil else { return }
        equation.rule = SGD(learningRate: 0.5)
        equation.perturbation = [Gaussian(sigma: 0.2)]
        let moved = try move(equation)
        equation.parameterPerturbation = nil
        let plain = try move(equation)
        // Entropy-SGD's own walk adds its noise to g.
        let tolerance = Self.all[index] is EntropySGD ? 1e-3 : 0
        #expect(distance(moved, plain) <= tolerance && norm(plain) > 0.5)
    }

    @Test func samplingRulesAllowNoOther() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Bowl<Float>(Self.equation(SAM(), rule: IVON(effectiveSampleSize: 10)))
        }
        #expect(error?.path == "parameterPerturbation" && error?.message.contains("ivon") == true)
        let bowl = try Bowl<Float>(Self.equation(nil, rule: IVON(effectiveSampleSize: 10)))
        #expect(throws: ConfigurationError.self) { try bowl.optimizer.step(bowl.tensors.buffers) }
    }

    @Test func givenGradientsAreRefused() throws {
        let bowl = try Bowl<Float>(Self.equation(SAM()))
        let error = #expect(throws: ConfigurationError.self) {
            try bowl.optimizer.step(bowl.tensors.buffers)
        }
        #expect(error?.path == "parameterPerturbation" && error?.message.contains("sam") == true)
    }
}
