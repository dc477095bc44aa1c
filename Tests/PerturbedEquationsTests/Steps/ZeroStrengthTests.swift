import Foundation
import PerturbedEquations
import Safetensors
import Testing

/// A perturbation of strength zero changes no bit: promise 1.
@Suite struct ZeroStrengthTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.1), SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.1, weightDecay: 0.01),
        Momentum(learningRate: 0.1), Nesterov(learningRate: 0.1, weightDecay: 0.01),
        Adam(learningRate: 0.01), Adam(learningRate: 0.01, weightDecay: 0.1, amsgrad: true),
        Adam(learningRate: 0.01, beta2: Scheduled(LinearSchedule(from: 0.8, to: 0.99, steps: 10))),
        AdamW(learningRate: 0.01), RMSProp(), RMSProp(weightDecay: 0.1, momentum: 0.9, centred: true),
        AdaGrad(weightDecay: 0.1), AdamPE(weightDecay: 0.1), AdamPE(floor: 0.01, noiseFloor: 0), RMSPE(),
        RMSPE(momentum: 0.5), PNM(learningRate: 0.1, weightDecay: 0.01), AdaPNM(),
        AdaPNM(weightDecay: 0.1, decoupled: false, amsgrad: false), SGLD(learningRate: 0.01),
        PSGLD(learningRate: 0.01), SGHMC(learningRate: 0.01), SGNHT(learningRate: 0.01, dataSize: 2),
    ]

    /// Every perturbation of strength `s`.
    static func perturbations(_ s: Scheduled) -> [any Perturbation] {
        [
            Gaussian(sigma: .absolute(s)), Gaussian(sigma: .relative(s)), Uniform(sigma: .absolute(s)),
            Laplace(sigma: .relative(s, .all)), DropNoise(probability: s), GradientScaled(alpha: s),
            Orthogonal(sigma: .absolute(s)), WeightPenalty(l1: s, l2: s), Adaptive(alpha: s, .identity),
            Adaptive(alpha: s, .normalised), Adaptive(alpha: s) { $0 + 1 },
        ]
    }

    /// Gradients with both zeros, subnormals and the ordinary.
    static func gradient<S: EquationScalar>(_ step: Int) -> (Int, Int, S) -> S {
        { tensor, i, theta in
            switch (i + step) % 7 {
            case 0: -0.0
            case 1: 0
            case 2: S.leastNonzeroMagnitude
            case 3: -S.leastNormalMagnitude / 2
            default: theta / 3 + S(sin(Double(i * 31 + step * 7 + tensor)))
            }
        }
    }

    static func run<S: EquationScalar>(
        _ rule: any UpdateRule, _ terms: [any Perturbation], steps: Int,
        stability: Stability = Stability(), measure: Bool = false, as _: S.Type
    ) throws -> (theta: [[UInt64]], state: [String: [UInt8]]) {
        let tensors = Tensors<S>(sizes: [1, 45, 5000]) { tensor, i in
            i % 5 == 0 ? -0.0 : S(cos(Double(i + tensor)))
        }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: rule, perturbation: terms, stability: stability), seed: 12)
        for step in 0..<steps {
            tensors.setGradient(gradient(step))
            try optimizer.step(tensors.buffers, measure: measure)
        }
        return (tensors.bits, try optimizer.stateBytes())
    }

    @Test(arguments: rules.indices)
    func equalsTheBaseRule(_ index: Int) throws {
        try check(index, Float.self)
        try check(index, Double.self)
    }

    private func check<S: EquationScalar>(_ index: Int, _: S.Type) throws {
        let rule = Self.rules[index]
        let guards = [
            Stability(), .none,
            Stability(
                clipValue: 0.9, clipNorm: 20, clipGlobalNorm: 25, perturbationToGradient: 0.5, sigmaMax: 1),
        ]
        for stability in guards {
            let base = try Self.run(rule, [], steps: 12, stability: stability, as: S.self)
            let zero = Self.perturbations(0)
            for term in zero + [
                Gaussian(sigma: .absolute(Scheduled(StepSchedule(from: 0, factor: 0.5, every: 3))))
            ] {
                let perturbed = try Self.run(rule, [term], steps: 12, stability: stability, as: S.self)
                #expect(perturbed == base, "\(type(of: rule)) with \(term)")
            }
            let all = try Self.run(rule, zero, steps: 12, stability: stability, measure: true, as: S.self)
            #expect(all == base, "\(type(of: rule)) with all, measured")
        }
        // The comparison can fail.
        let base = try Self.run(rule, [], steps: 3, as: S.self)
        for term in Self.perturbations(0.125) {
            #expect(try Self.run(rule, [term], steps: 3, as: S.self) != base, "\(term)")
        }
    }

    /// Once a schedule has reached zero, the run goes on as the base rule would from there.
    @Test(arguments: rules.indices)
    func aScheduleThatEndsInZero(_ index: Int) throws {
        let rule = Self.rules[index]
        let fading = Scheduled(LinearSchedule(from: 0.5, to: 0, steps: 5))
        for term in Self.perturbations(fading) {
            let tensors = Tensors<Float>(sizes: [4500]) { _, i in Float(cos(Double(i))) }
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(), equation: PerturbedEquation(rule: rule, perturbation: term),
                seed: 5)
            for step in 0..<5 {
                tensors.setGradient(Self.gradient(step))
                try optimizer.step(tensors.buffers)
            }
            let base = try PerturbedOptimizer(
                parameters: tensors.specs(), equation: PerturbedEquation(rule: rule),
                // A sampler's own noise must be the same.
                seed: rule.requirements.contains(.noise) ? 5 : 99)
            let copy = Tensors<Float>(tensors.all)
            let file = try SafetensorsFile(
                tensors: try optimizer.stateSources().map { source in
                    var data = Data()
                    try source.bytes { data.append(contentsOf: $0) }
                    return try TensorEntry(
                        name: source.name, type: source.type, shape: source.shape, data: data)
                }, metadata: try optimizer.stateMetadata())
            try base.loadState(from: file, allowingOtherSeed: true)
            for step in 5..<10 {
                tensors.setGradient(Self.gradient(step))
                try optimizer.step(tensors.buffers)
                copy.setGradient(Self.gradient(step))
                try base.step(copy.buffers)
                #expect(tensors.bits == copy.bits, "\(term), step \(step)")
            }
        }
    }
}
