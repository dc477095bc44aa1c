import Foundation
import PerturbedEquations
import Testing

/// Factors on noise strengths reach every noise, and a controller without anything to steer is refused.
@Suite struct SteeringTests {
    /// Halves every strength with each step, from the third on: no loss falls that fast.
    static let halving = LossImprovement(rate: 1e9, window: 1, slower: 0.5)

    static func refusal(
        _ equation: PerturbedEquation, groups: [ParameterGroup] = []
    ) -> ConfigurationError? {
        do {
            _ = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [2]), ParameterSpec("q", shape: [2])],
                equation: equation, groups: groups, seed: 1)
            return nil
        } catch { return error as? ConfigurationError }
    }

    /// Every catalogued term and parameter perturbation: noise changes with the factor, and what is none is refused.
    @Test(arguments: Subject.of(.perturbation) + Subject.of(.parameterPerturbation))
    func theFactorReachesNoise(_ subject: Subject) throws {
        var equation = try subject.equation()
        let isNoise = equation.parameterPerturbation?.isNoise ?? equation.perturbation[0].isNoise
        let free = try TableTests.run(equation)
        equation.controllers = [Self.halving]
        guard isNoise else {
            #expect(throws: ConfigurationError.self) { try TableTests.run(equation) }
            return
        }
        let halved = try TableTests.run(equation)
        #expect(halved.optimizer.controllers[0].factor < 1)
        #expect(halved.bits != free.bits)
    }

    /// What is noise says so.
    @Test func whatIsNoise() throws {
        func names(_ family: Subject.Family, _ isNoise: (PerturbedEquation) -> Bool) throws -> Set<String> {
            Set(try Subject.of(family).filter { isNoise(try $0.equation()) }.map(\.name))
        }
        #expect(
            try names(.perturbation) { !$0.perturbation[0].isNoise } == [
                "weightPenalty", "anchor", "adaptive",
            ])
        #expect(
            try names(.parameterPerturbation) { $0.parameterPerturbation!.isNoise }
                == ["randomWeights", "parameterSpaceNoise", "entropySGD"])
    }

    /// A factor on the strengths is a factor on σ: of random weights the same bits as those of a smaller σ.
    @Test func aFactorIsOnSigma() throws {
        func run(_ sigma: Double, cut: Double) throws -> [[UInt64]] {
            let bowl = try Bowl<Double>(
                PerturbedEquation(
                    rule: SGD(learningRate: 0.1),
                    parameterPerturbation: RandomWeights(sigma: Scheduled(sigma), scale: .one)))
            bowl.optimizer.rollBack(
                to: bowl.optimizer.keep(bowl.tensors.buffers), bowl.tensors.buffers, cut: cut)
            for _ in 0..<3 { try bowl.step() }
            return bowl.tensors.bits
        }
        #expect(try run(0.5, cut: 0.25) == run(0.125, cut: 1))
        #expect(try run(0.5, cut: 1) != run(0.125, cut: 1))
    }

    /// A burst of noise on the parameters is cut after one rollback, and the run goes on.
    @Test(arguments: 0..<3)
    func rollbacksCutIt(_ kind: Int) throws {
        let burst = Scheduled(PiecewiseSchedule([0.001, 1000], boundaries: [30]))
        let noise: any ParameterPerturbation =
            switch kind {
            case 0: RandomWeights(sigma: burst, scale: .one)
            case 1: ParameterSpaceNoise(sigma: 0.001, target: 1e12, factor: 3)
            default: EntropySGD(steps: 3, gamma: 1, epsilon: burst)
            }
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: SGD(learningRate: 0.05), parameterPerturbation: noise,
                stability: Stability(
                    rollbackOnSpike: SpikeGuard(window: 10, minimumHistory: 5, snapshotEvery: 5, cut: 0))))
        let start = bowl.loss(gradients: false)
        for _ in 0..<60 { try bowl.step() }
        #expect(bowl.optimizer.counts.rolledBack == 1)
        #expect(bowl.loss(gradients: false) < start)
        #expect(bowl.optimizer.strengthFactor == 0)
        if kind == 1 { #expect(bowl.optimizer.parameterNoise == 0) }
    }

    /// The noise that adapts aims at what a cut leaves, so that it does not undo it.
    @Test func adaptingNoiseKeepsTheCut() throws {
        let bowl = try Bowl<Double>(
            PerturbedEquation(
                rule: SGD(learningRate: 0),
                parameterPerturbation: ParameterSpaceNoise(
                    sigma: 0.1, target: 1, factor: 2, distance: .reported)))
        let optimizer = bowl.optimizer
        optimizer.rollBack(to: optimizer.keep(bowl.tensors.buffers), bowl.tensors.buffers, cut: 0.5)
        #expect(optimizer.parameterNoise == 0.05)
        // 0.6 is less than the target, and more than half of it.
        for (distance, sigma) in [(0.6, 0.025), (0.4, 0.05), (0.5, 0.1)] {
            optimizer.report(noiseDistance: distance)
            try bowl.step()
            #expect(optimizer.parameterNoise == sigma)
        }
    }

    @Test func nothingToSteer() throws {
        let sgd = SGD(learningRate: 0.1)
        let onSigma: [any Controller] = [
            Plateau(), LossImprovement(), GradientNoiseScale(), ParameterDistance(target: 1, of: .step),
        ]
        let still: [PerturbedEquation] = [
            PerturbedEquation(rule: sgd), PerturbedEquation(rule: sgd, perturbation: WeightPenalty(l2: 1)),
            PerturbedEquation(rule: sgd, parameterPerturbation: SAM()),
            PerturbedEquation(rule: SGLD(learningRate: 0.1)),
            PerturbedEquation(rule: sgd, perturbation: Mixture([.init(Anchor(strength: 1), weight: 1)])),
        ]
        let noisy: [PerturbedEquation] = [
            PerturbedEquation(rule: sgd, perturbation: WeightPenalty(l2: 1), Gaussian(sigma: 0)),
            PerturbedEquation(rule: sgd, parameterPerturbation: RandomWeights()),
            PerturbedEquation(
                rule: sgd, perturbation: Mixture([.init(Gaussian(sigma: 1), weight: 1)])),
        ]
        for controller in onSigma {
            let name = type(of: controller).catalogueEntry.name
            for var equation in still {
                equation.controllers = [Plateau(scales: .learningRate), controller]
                let error = Self.refusal(equation)
                #expect(error?.path == "controllers.1.\(name).scales")
                #expect(error?.message.contains("learningRate") == true)
                // Noise in a group is noise.
                #expect(
                    Self.refusal(
                        equation, groups: [ParameterGroup(["q"], perturbation: [Gaussian(sigma: 1)])]) == nil)
            }
            for var equation in noisy {
                equation.controllers = [controller]
                #expect(Self.refusal(equation) == nil, "\(name)")
            }
        }
    }

    /// Those that measure what δ does want δ, whatever else is noise.
    @Test func nothingToMeasure() throws {
        let sgd = SGD(learningRate: 0.1)
        for (controller, wantsNoise) in [
            (TargetNoiseRatio(target: 0.1), true), (ParameterDistance(target: 1), true),
            (ParameterDistance(scales: .learningRate, target: 1), false),
        ] as [(any Controller, Bool)] {
            func refusal(
                _ terms: [any Perturbation], _ parameters: (any ParameterPerturbation)? = nil
            ) -> ConfigurationError? {
                Self.refusal(
                    PerturbedEquation(
                        rule: sgd, parameterPerturbation: parameters, perturbation: terms,
                        controllers: [controller]))
            }
            let name = type(of: controller).catalogueEntry.name
            #expect(refusal([])?.path == "controllers.0.\(name)")
            #expect(refusal([], RandomWeights())?.message.contains("perturbation") == true)
            #expect((refusal([WeightPenalty(l2: 1)]) != nil) == wantsNoise)
            #expect(refusal([Gaussian(sigma: 1)]) == nil)
        }
    }
}
