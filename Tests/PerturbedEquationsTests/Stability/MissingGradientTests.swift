import PerturbedEquations
import Testing

/// A parameter without a gradient in this step (a frozen layer) stays as it is, as in PyTorch.
@Suite struct MissingGradientTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.5), Nesterov(learningRate: 0.1),
        Adam(learningRate: 0.1, weightDecay: 0.1), AdamW(learningRate: 0.1), RMSProp(weightDecay: 0.1),
        AdaGrad(learningRateDecay: 0.1, initialAccumulator: 2), AdamPE(learningRate: 0.1), RMSPE(),
    ]

    @Test(arguments: rules.indices)
    func nothingIsTouched(_ index: Int) throws {
        let tensors = Tensors<Float>(sizes: [10, 5000, 3]) { _, i in Float(i % 7) - 3 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Self.rules[index], perturbation: Gaussian(sigma: .relative(0.1)),
                Orthogonal(sigma: 0.1),
                WeightPenalty(l2: 0.1),
                stability: Stability(clipValue: 1, clipGlobalNorm: 1, perturbationToGradient: 1)), seed: 2)
        for step in 0..<6 {
            tensors.hasGradient = [true, step % 2 == 0, step > 3]
            tensors.setGradient { _, _, theta in theta }
            let theta = tensors.bits
            let state = try optimizer.stateBytes()
            try optimizer.step(tensors.buffers, measure: step % 3 == 0)
            let after = try optimizer.stateBytes()
            for tensor in 0..<3 {
                let changed = tensors.bits[tensor] != theta[tensor]
                #expect(changed == tensors.hasGradient[tensor])
                for name in state.keys where name.hasPrefix("state/p\(tensor)/") {
                    #expect((after[name] != state[name]) == tensors.hasGradient[tensor], "\(name)")
                }
            }
        }
    }

    /// A late first gradient is a first update: Adam's bias corrections and SGD's undampened first gradient
    /// are the parameter's own. Unperturbed, it moves like a parameter that starts then.
    @Test(arguments: rules.indices)
    func aLateFirstGradient(_ index: Int) throws {
        let late = Tensors<Double>([[1], [1, 2, 3]])
        let optimizer = try PerturbedOptimizer(
            parameters: late.specs(), equation: PerturbedEquation(rule: Self.rules[index]), seed: 2)
        let fresh = Tensors<Double>([[1, 2, 3]])
        let other = try PerturbedOptimizer(
            parameters: fresh.specs(), equation: PerturbedEquation(rule: Self.rules[index]), seed: 2)
        for step in 0..<30 {
            late.hasGradient = [true, step >= 20]
            late.setGradient { _, i, theta in theta - Double(i) / 2 }
            try optimizer.step(late.buffers)
            if step >= 20 {
                fresh.setGradient { _, i, theta in theta - Double(i) / 2 }
                try other.step(fresh.buffers)
                #expect(late[1] == fresh[0], "step \(step)")
            }
        }
    }

    /// A step without any gradient does nothing, and is one.
    @Test func noGradientAtAll() throws {
        let tensors = Tensors<Float>([[1, 2], []])
        tensors.hasGradient = [false, false]
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Adam(), perturbation: Gaussian(sigma: .relative(1)),
                stability: Stability(clipGlobalNorm: 1, perturbationToGradient: 1)), seed: 2)
        let report = try optimizer.step(tensors.buffers, measure: true)
        #expect(tensors.all == [[1, 2], []])
        #expect(report.gradientNorm == 0 && report.perturbationNorm == 0 && optimizer.step == 1)
    }

    /// Nothing to optimise, and a parameter of no elements.
    @Test func nothingAtAll() throws {
        let none = try PerturbedOptimizer(
            parameters: [], equation: PerturbedEquation(rule: Adam(), perturbation: Gaussian(sigma: 1)),
            seed: 1)
        #expect(try none.step([], measure: true).outcome == .applied)
        var theta: [Float] = []
        let empty = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [0])],
            equation: PerturbedEquation(rule: Adam(), perturbation: Gaussian(sigma: 1)), seed: 1)
        #expect(try empty.step(&theta, gradient: []).outcome == .applied)
    }
}
