import Foundation
import PerturbedEquations
import Testing

/// A setting outside its range is refused by name, with its value and what is allowed.
@Suite struct ConfigurationRefusalTests {
    static func refusal(_ equation: PerturbedEquation, horizon: Int? = nil) -> ConfigurationError? {
        do {
            _ = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [1])], equation: equation, seed: 1, horizon: horizon)
            return nil
        } catch { return error as? ConfigurationError }
    }

    static let sgd = SGD(learningRate: 1)

    static let bad: [(String, PerturbedEquation)] = {
        var bad: [(String, PerturbedEquation)] = []
        func term(_ path: String, _ term: any Perturbation) {
            bad.append(
                ("perturbation.1." + path, PerturbedEquation(rule: sgd, perturbation: WeightPenalty(), term)))
        }
        func rule(_ path: String, _ rule: any UpdateRule) {
            bad.append(("rule." + path, PerturbedEquation(rule: rule)))
        }
        func parameters(_ path: String, _ perturbation: any ParameterPerturbation) {
            bad.append(
                (
                    "parameterPerturbation." + path,
                    PerturbedEquation(rule: sgd, parameterPerturbation: perturbation)
                ))
        }
        func stability(_ path: String, _ stability: Stability) {
            bad.append(("stability." + path, PerturbedEquation(rule: sgd, stability: stability)))
        }
        func controller(_ path: String, _ controller: any Controller) {
            bad.append(
                ("controllers.1." + path, PerturbedEquation(rule: sgd, controllers: [Plateau(), controller])))
        }
        for value in [-1, .nan, .infinity] {
            controller("plateau.factor", Plateau(factor: value))
            controller("plateau.threshold", Plateau(threshold: value))
            controller("plateau.minimum", Plateau(minimum: value))
            controller("lossImprovement.slower", LossImprovement(slower: value))
            controller("lossImprovement.maximum", LossImprovement(maximum: value))
            controller("targetNoiseRatio.target", TargetNoiseRatio(target: Scheduled(value)))
            controller("targetNoiseRatio.gain", TargetNoiseRatio(target: 1, gain: value))
            controller("parameterDistance.target", ParameterDistance(target: Scheduled(value)))
            controller("parameterDistance.rate", ParameterDistance(target: 1, rate: value))
            controller("gradientNoiseScale.target", GradientNoiseScale(target: value))
            controller("gradientNoiseScale.smoothing", GradientNoiseScale(smoothing: value))
            let s = Scheduled(value)
            term("gaussian.sigma", Gaussian(sigma: .absolute(s)))
            term("uniform.sigma", Uniform(sigma: .relative(s)))
            term("laplace.sigma", Laplace(sigma: .relative(s, .all)))
            term("orthogonal.sigma", Orthogonal(sigma: .absolute(s)))
            term("gradientScaled.alpha", GradientScaled(alpha: s))
            term("dropNoise.probability", DropNoise(probability: s))
            term("weightPenalty.l1", WeightPenalty(l1: s))
            term("weightPenalty.l2", WeightPenalty(l2: s))
            rule("sgd.learningRate", SGD(learningRate: s))
            rule("momentum.momentum", Momentum(learningRate: 1, momentum: s))
            rule("nesterov.weightDecay", Nesterov(learningRate: 1, weightDecay: s))
            rule("adam.beta1", Adam(beta1: s))
            rule("adamW.beta2", AdamW(beta2: s))
            rule("adam.epsilon", Adam(epsilon: s))
            rule("adamW.weightDecay", AdamW(weightDecay: s))
            rule("rmsProp.alpha", RMSProp(alpha: s))
            rule("rmsProp.momentum", RMSProp(momentum: s))
            parameters("sam.rho", SAM(rho: s))
            parameters("asam.rho", ASAM(rho: s))
            rule("adaGrad.learningRateDecay", AdaGrad(learningRateDecay: s))
            rule("adaGrad.initialAccumulator", AdaGrad(initialAccumulator: value))
            rule("adamPE.beta2", AdamPE(beta2: s))
            rule("adamPE.floor", AdamPE(floor: s))
            rule("adamPE.noiseFloor", AdamPE(noiseFloor: s))
            rule("rmsPE.alpha", RMSPE(alpha: s))
            rule("rmsPE.momentum", RMSPE(momentum: s))
            rule("rmsPE.noiseFloor", RMSPE(noiseFloor: s))
            rule("pnm.beta0", PNM(learningRate: 1, beta0: s))
            rule("pnm.beta1", PNM(learningRate: 1, beta1: s))
            rule("adaPNM.beta1", AdaPNM(beta1: s))
            rule("adaPNM.beta2", AdaPNM(beta2: s))
            rule("adaPNM.epsilon", AdaPNM(epsilon: s))
            rule("sgld.learningRate", SGLD(learningRate: s))
            rule("sgld.temperature", SGLD(learningRate: 1, temperature: s))
            rule("sgld.dataSize", SGLD(learningRate: 1, dataSize: value))
            rule("psgld.alpha", PSGLD(learningRate: 1, alpha: s))
            rule("psgld.epsilon", PSGLD(learningRate: 1, epsilon: s))
            rule("psgld.weightDecay", PSGLD(learningRate: 1, weightDecay: s))
            rule("sghmc.friction", SGHMC(learningRate: 1, friction: s))
            rule("sghmc.gradientNoise", SGHMC(learningRate: 1, gradientNoise: s))
            rule("sgnht.friction", SGNHT(learningRate: 1, friction: s))
            rule("sgnht.inertia", SGNHT(learningRate: 1, inertia: s))
            rule("sgnht.dataSize", SGNHT(learningRate: 1, dataSize: value))
            parameters("asam.eta", ASAM(eta: s))
            parameters("gsam.alpha", GSAM(alpha: s))
            parameters("lookSAM.rho", LookSAM(rho: s))
            parameters("randomWeights.sigma", RandomWeights(sigma: s))
            parameters("awp.gamma", AWP(gamma: s))
            parameters("parameterSpaceNoise.sigma", ParameterSpaceNoise(sigma: value))
            parameters("entropySGD.rate", EntropySGD(rate: s))
            parameters("mezo.epsilon", MeZO(epsilon: s))
            rule("ivon.effectiveSampleSize", IVON(effectiveSampleSize: s))
            rule("ivon.weightDecay", IVON(effectiveSampleSize: 1, weightDecay: s))
            rule("bsam.effectiveSampleSize", BSAM(learningRate: 1, effectiveSampleSize: s))
            rule("bsam.rho", BSAM(learningRate: 1, rho: s, effectiveSampleSize: 1))
            rule("bsam.weightDecay", BSAM(learningRate: 1, effectiveSampleSize: 1, weightDecay: s))
            rule("bsam.damping", BSAM(learningRate: 1, effectiveSampleSize: 1, damping: s))
            stability("clipValue", Stability(clipValue: s))
            stability("clipNorm", Stability(clipNorm: s))
            stability("clipGlobalNorm", Stability(clipGlobalNorm: s))
            stability("perturbationToGradient", Stability(perturbationToGradient: s))
            stability("varianceBound", Stability(varianceBound: s))
            stability("clipAdaptive.ratio", Stability(clipAdaptive: AdaptiveClip(ratio: s)))
            stability(
                "clipAdaptive.floor", Stability(clipAdaptive: AdaptiveClip(ratio: 1, floor: value)))
            stability("trustRegion.ratio", Stability(trustRegion: TrustRegion(ratio: s)))
            stability("trustRegion.floor", Stability(trustRegion: TrustRegion(ratio: 1, floor: value)))
            stability(
                "rollbackOnSpike.smallestDeviation",
                Stability(rollbackOnSpike: SpikeGuard(smallestDeviation: value)))
            stability("sigmaMax", Stability(sigmaMax: s))
            stability("rollbackOnSpike.cut", Stability(rollbackOnSpike: SpikeGuard(cut: value)))
        }
        controller("plateau.factor", Plateau(factor: 1))
        controller("plateau.window", Plateau(window: 0))
        controller("plateau.patience", Plateau(patience: -1))
        controller("lossImprovement.window", LossImprovement(window: 0))
        controller("targetNoiseRatio.every", TargetNoiseRatio(target: 1, every: 0))
        controller("parameterDistance.every", ParameterDistance(target: 1, every: 0))
        controller("gradientNoiseScale.minimumHistory", GradientNoiseScale(minimumHistory: 0))
        parameters("entropySGD.alpha", EntropySGD(alpha: 0))
        parameters("entropySGD.steps", EntropySGD(steps: 0))
        parameters("mezo.epsilon", MeZO(epsilon: 0))
        parameters("lookSAM.every", LookSAM(every: 0))
        parameters("randomWeights.samples", RandomWeights(samples: 0))
        parameters("parameterSpaceNoise.factor", ParameterSpaceNoise(factor: 0.9))
        rule("ivon.initialHessian", IVON(effectiveSampleSize: 1, initialHessian: 0))
        rule("bsam.initialPrecision", BSAM(learningRate: 1, effectiveSampleSize: 1, initialPrecision: 0))
        term("dropNoise.probability", DropNoise(probability: 1))
        term("adaptive.alpha", Adaptive(alpha: Scheduled(.nan), .sign))
        rule("sgd.momentum", SGD(learningRate: 1, momentum: 1))
        rule("sgd.dampening", SGD(learningRate: 1, momentum: 0.5, dampening: 1.5))
        rule("sgd.nesterov", SGD(learningRate: 1, nesterov: true))
        rule("adam.beta1", Adam(beta1: 1))
        rule("adamPE.beta1", AdamPE(beta1: 1))
        rule("pnm.beta1", PNM(learningRate: 1, beta1: 1))
        rule("psgld.epsilon", PSGLD(learningRate: 1, epsilon: 0))
        rule("sgld.dataSize", SGLD(learningRate: 1, dataSize: 0))
        rule("sghmc.friction", SGHMC(learningRate: 1, friction: 0))
        rule("sghmc.friction", SGHMC(learningRate: 1, friction: 1.5))
        rule("sghmc.gradientNoise", SGHMC(learningRate: 1, friction: 0.1, gradientNoise: 0.2))
        rule(
            "sghmc.gradientNoise",
            SGHMC(
                learningRate: 1, friction: Scheduled(LinearSchedule(from: 0.5, to: 0.1, steps: 50)),
                gradientNoise: 0.2))
        rule("sgnht.friction", SGNHT(learningRate: 1, friction: 0))
        stability("clipValue", Stability(clipValue: 0))
        stability("rollbackOnSpike.window", Stability(rollbackOnSpike: SpikeGuard(window: 9)))
        stability(
            "rollbackOnSpike.minimumHistory", Stability(rollbackOnSpike: SpikeGuard(minimumHistory: 101)))
        stability("rollbackOnSpike.snapshotEvery", Stability(rollbackOnSpike: SpikeGuard(snapshotEvery: 0)))
        stability("rollbackOnSpike.attempts", Stability(rollbackOnSpike: SpikeGuard(attempts: -1)))
        stability("rollbackOnSpike.deviations", Stability(rollbackOnSpike: SpikeGuard(deviations: 0)))
        func sigma(_ path: String, _ schedule: Scheduled) {
            term("gaussian.sigma" + path, Gaussian(sigma: .absolute(schedule)))
        }
        sigma(".steps", Scheduled(LinearSchedule(from: 1, to: 0, steps: 0)))
        sigma(".every", Scheduled(StepSchedule(from: 1, factor: 0.5, every: 0)))
        sigma(".factor", Scheduled(ExponentialSchedule(from: 1, factor: 1.1)))
        sigma(".exponent", Scheduled(InversePowerSchedule(from: 1, exponent: -1)))
        sigma(".eta", Scheduled(AnnealedGradientNoiseSchedule(eta: -1)))
        sigma(".phases", Scheduled(SequenceSchedule([])))
        sigma(".period", Scheduled(CosineRestartsSchedule(from: 1, period: 0)))
        sigma(".periodFactor", Scheduled(CosineRestartsSchedule(from: 1, period: 5, periodFactor: 0)))
        sigma(".power", Scheduled(PolynomialSchedule(from: 1, power: 0)))
        sigma(".divisor", Scheduled(OneCycleSchedule(peak: 1, divisor: 0.5)))
        sigma(".peak", Scheduled(OneCycleSchedule(peak: .nan)))
        sigma(".riseFraction", Scheduled(OneCycleSchedule(peak: 1, riseFraction: 1)))
        sigma(".fraction", Scheduled(RiseNearTheEndSchedule(from: 1, to: 1, fraction: 0)))
        sigma(".low", Scheduled(RiseNearTheEndSchedule(from: 1, low: .infinity, to: 1)))
        sigma(".values", Scheduled(PiecewiseSchedule([1], boundaries: [5])))
        sigma(".boundaries", Scheduled(PiecewiseSchedule([1, 2, 3], boundaries: [5, 5])))
        sigma("", Scheduled(PiecewiseSchedule([1, -2], boundaries: [5])))
        sigma(".warmup", Scheduled(1).warmup(-1))
        sigma(".phases.0.warmup", Scheduled(0.5).warmup(-2).then(at: 3, 1))
        // Negative only late, and only once the length of the run is known.
        sigma("", Scheduled(LinearSchedule(from: 1, to: -1, steps: 1_000_000)))
        sigma("", Scheduled(LinearSchedule(from: 1, to: -1)))
        return bad
    }()

    @Test(arguments: bad.indices)
    func outOfRange(_ index: Int) throws {
        let (path, equation) = Self.bad[index]
        let error = try #require(Self.refusal(equation, horizon: 100), "\(path)")
        #expect(error.path == path, "\(error)")
        #expect(error.message.contains("allowed"), "\(error)")
    }

    @Test func aLengthIsNeeded() throws {
        let equation = PerturbedEquation(rule: SGD(learningRate: Scheduled(CosineSchedule(from: 1))))
        let error = try #require(Self.refusal(equation))
        #expect(error.message.contains("cosine") && error.message.contains("steps"))
        #expect(Self.refusal(equation, horizon: 1) == nil)
    }

    /// Lengths near the largest integer are long, not a crash.
    @Test func hugeLengths() {
        let huge = Scheduled(1.0).then(at: .steps(.max), 1).then(
            at: .steps(.max), Scheduled(LinearSchedule(from: 1, to: 0)))
        for schedule in [
            huge, Scheduled(LinearSchedule(from: 1, to: 0)).warmup(.steps(.max)), huge.warmup(.steps(.max)),
        ] {
            #expect(Self.refusal(PerturbedEquation(rule: SGD(learningRate: schedule)), horizon: 10) == nil)
            #expect(schedule.resolved(horizon: .max).value(at: 1 << 40) <= 1)
        }
    }

    @Test func exponentialsMayUnderflow() {
        let fading = Scheduled(ExponentialSchedule(from: 1, factor: 0.99))
        #expect(
            Self.refusal(PerturbedEquation(rule: Self.sgd, stability: Stability(clipNorm: fading))) == nil)
    }

    @Test(arguments: [
        (#"{"rule": {"adm": {}}}"#, "adm", "adam"), (#"{"rule": "sdg"}"#, "sdg", "sgd"),
        (#"{"rule": "adam", "perturbation": [{"gausian": {"sigma": 1}}]}"#, "gausian", "gaussian"),
        (#"{"rule": {"sgd": {"learningRate": {"cosin": {"from": 1}}}}}"#, "cosin", "cosine"),
        (
            #"{"rule": "adam", "perturbation": [{"adaptive": {"alpha": 1, "function": "sgn"}}]}"#, "sgn",
            "sign"
        ),
        (#"{"rule": {"sgd": {"learningRate": 1}, "adam": {}}}"#, "adam, sgd", "one rule"),
        (#"{"rule": "adam", "controllers": [{"plateu": {}}]}"#, "plateu", "plateau"),
        (#"{"rule": "adam", "controllers": [{"plateau": {"window": 0}}]}"#, "plateau.window", "≥ 1"),
        (#"{"rule": {"sgd": {"learningRate": -1}}}"#, "sgd.learningRate", "-1"),
        (
            #"{"rule": "adam", "perturbation": [{"dropNoise": {"probability": 1}}]}"#,
            "dropNoise.probability", "p < 1"
        ),
        (#"{"rule": "adam", "perturbation": ["gaussian"]}"#, "sigma", "value"),
        (#"{"rule": "adam", "stability": {"clipNorm": -2}}"#, "stability.clipNorm", "-2"),
    ])
    func refusedWhenRead(text: String, name: String, hint: String) {
        let error = #expect(throws: (any Error).self) {
            try JSONDecoder().decode(PerturbedEquation.self, from: Data(text.utf8))
        }
        let message = error.map { "\($0)" } ?? ""
        #expect(message.contains(name) && message.contains(hint), "\(message)")
    }

    @Test func aClosureCannotBeWrittenDown() {
        let equation = PerturbedEquation(rule: Self.sgd, perturbation: Adaptive(alpha: 1) { $0 })
        #expect(throws: ConfigurationError.self) { try JSONEncoder().encode(equation) }
    }
}
