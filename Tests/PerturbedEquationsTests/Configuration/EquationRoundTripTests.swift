import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Random equations, written down and read again, are the same: no setting is lost or renamed.
@Suite struct EquationRoundTripTests {
    struct Everything: Codable {
        var equation: PerturbedEquation
        var groups: [ParameterGroup]
    }

    /// Random settings of every type, inside their ranges.
    struct Maker {
        var random = SeededGenerator()

        mutating func number(_ range: ClosedRange<Double> = 0...2) -> Double {
            .random(in: range, using: &random)
        }
        mutating func count(_ range: ClosedRange<Int> = 1...500) -> Int { .random(in: range, using: &random) }
        mutating func coin() -> Bool { Bool.random(using: &random) }
        mutating func length() -> StepCount { coin() ? .steps(count()) : .epochs(Double(count()) / 4) }

        /// A schedule with values in 0 … `top`.
        mutating func schedule(_ top: Double = 2, depth: Int = 0) -> Scheduled {
            let a = number(0...top)
            let b = number(0...top)
            let steps = coin() ? length() : nil
            let base: Scheduled
            switch count(0...(depth < 2 ? 15 : 12)) {
            case 0, 1: return Scheduled(a)
            case 2: base = Scheduled(LinearSchedule(from: a, to: b, steps: steps))
            case 3: base = Scheduled(ExponentialSchedule(from: a, factor: number(0.1...1)))
            case 4: base = Scheduled(StepSchedule(from: a, factor: number(0.1...1), every: length()))
            case 5: base = Scheduled(CosineSchedule(from: a, to: b, steps: steps))
            case 6: base = Scheduled(InversePowerSchedule(from: a, exponent: number()))
            case 7: base = Scheduled(AnnealedGradientNoiseSchedule(eta: a * a, gamma: number()))
            case 8:
                base = Scheduled(
                    CosineRestartsSchedule(from: a, to: b, period: length(), periodFactor: count(1...3)))
            case 9:
                base = Scheduled(PolynomialSchedule(from: a, to: b, power: number(0.1...3), steps: steps))
            case 10:
                base = Scheduled(
                    OneCycleSchedule(
                        peak: a, divisor: number(1...30), finalDivisor: number(1...100),
                        riseFraction: number(0...0.9), steps: steps))
            case 11:
                base = Scheduled(
                    RiseNearTheEndSchedule(
                        from: a, low: number(0...top), to: b, fraction: number(0.1...0.9), steps: steps))
            case 12:
                base = Scheduled(
                    PiecewiseSchedule([a, b, a], boundaries: [.steps(count()), coin() ? 501 : .epochs(72)]))
            case 13:
                base = schedule(top, depth: depth + 1).then(at: length(), schedule(top, depth: depth + 1))
            case 14: base = schedule(1, depth: depth + 1) * schedule(top, depth: depth + 1)
            default: base = schedule(top / 2, depth: depth + 1) + schedule(top / 2, depth: depth + 1)
            }
            return coin() ? base.warmup(length()) : base
        }

        mutating func strength() -> Strength {
            switch count(0...2) {
            case 0: .absolute(schedule())
            case 1: .relative(schedule())
            default: .relative(schedule(), .all)
            }
        }

        mutating func composite(depth: Int) -> any Perturbation {
            switch count(0...2) {
            case 0:
                return Mixture(
                    (0..<count(1...3)).map { _ in
                        .init(perturbation(depth: depth + 1), weight: schedule())
                    }, draw: coin())
            case 1:
                return Alternating(
                    (0..<count(1...3)).map { _ in perturbation(depth: depth + 1) }, every: count())
            default:
                return Curriculum(
                    (0..<count(1...3)).map {
                        .init(from: 9 * $0, coin() ? perturbation(depth: depth + 1) : nil)
                    })
            }
        }

        mutating func perturbation(depth: Int = 0) -> any Perturbation {
            switch count(0...(depth < 2 ? 18 : 15)) {
            case 8: return Rotation(angle: schedule(3))
            case 9:
                return CurvatureShaped(
                    sigma: strength(), source: coin() ? .secondMoment : .hessianDiagonal,
                    exponent: Double(count(0...8) - 4) / 4, damping: Scheduled(number(0.1...1)),
                    estimate: HessianEstimate(every: count(), probes: count(), average: number(0...0.9)))
            case 10: return GradientCovariance(scale: schedule())
            case 11: return GradDrop(leak: schedule(1))
            case 12: return AntiCorrelated(sigma: schedule())
            case 13:
                return SaddleEscape(
                    radius: schedule(), gradientThreshold: schedule(), stepThreshold: count(0...9))
            case 14: return Anchor(strength: schedule(), radius: schedule())
            case 15:
                return Learned(
                    sigma: strength(), rate: schedule(), minimum: number(0.1...1), maximum: number(1...9),
                    over: coin() ? .tensor : .group)
            case 16...18: return composite(depth: depth)
            case 0: return Gaussian(sigma: strength())
            case 1: return Uniform(sigma: strength())
            case 2: return Laplace(sigma: strength())
            case 3: return DropNoise(probability: schedule(0.99))
            case 4: return GradientScaled(alpha: schedule())
            case 5: return Orthogonal(sigma: strength())
            case 6: return WeightPenalty(l1: schedule(), l2: schedule(), group: schedule())
            default:
                let functions: [Adaptive.Function] = [.identity, .sign, .tanh, .square, .root, .normalised]
                return Adaptive(alpha: schedule(), functions[count(0...5)])
            }
        }

        mutating func perturbations() -> [any Perturbation] {
            (0..<count(0...4)).map { _ in perturbation() }
        }

        mutating func parameterPerturbation() -> (any ParameterPerturbation)? {
            switch count(0...12) {
            case 0: SAM(rho: schedule())
            case 1: ASAM(rho: schedule(), eta: schedule())
            case 2: GSAM(rho: schedule(), alpha: schedule())
            case 3: LookSAM(rho: schedule(), alpha: schedule(), every: count())
            case 4: RandomWeights(sigma: schedule(), scale: coin() ? .filter : .one, samples: count())
            case 5: AWP(gamma: schedule(), vectors: coin())
            case 6:
                ParameterSpaceNoise(
                    sigma: number(), target: schedule(), factor: 1 + number(),
                    distance: coin() ? .loss : .reported, every: count())
            case 7: EntropySGD(steps: count(), gamma: schedule(), epsilon: schedule())
            case 8: MeZO(epsilon: Scheduled(number(0.1...1)), exact: coin())
            default: nil
            }
        }

        mutating func rule() -> any UpdateRule {
            let momentum = number(0.01...0.99)
            switch count(0...17) {
            case 7:
                return AdaGrad(
                    learningRate: schedule(), learningRateDecay: schedule(), epsilon: schedule(),
                    weightDecay: schedule(), initialAccumulator: number())
            case 8:
                return AdamPE(
                    learningRate: schedule(), beta1: schedule(0.9), beta2: schedule(0.999),
                    epsilon: schedule(), weightDecay: schedule(), decoupled: coin(), floor: schedule(),
                    noiseFloor: schedule())
            case 9:
                return RMSPE(
                    learningRate: schedule(), alpha: schedule(0.99), epsilon: schedule(),
                    weightDecay: schedule(), momentum: schedule(0.9), floor: schedule(),
                    noiseFloor: schedule())
            case 10:
                return PNM(
                    learningRate: schedule(), beta1: schedule(0.9), beta0: schedule(),
                    weightDecay: schedule(), decoupled: coin())
            case 11:
                return AdaPNM(
                    learningRate: schedule(), beta1: schedule(0.9), beta2: schedule(0.999),
                    beta0: schedule(), epsilon: schedule(), weightDecay: schedule(), decoupled: coin(),
                    amsgrad: coin())
            case 12:
                return SGLD(
                    learningRate: schedule(), temperature: schedule(), dataSize: number(0.1...9),
                    weightDecay: schedule())
            case 13:
                return PSGLD(
                    learningRate: schedule(), alpha: schedule(0.99), epsilon: Scheduled(number(0.1...1)),
                    temperature: schedule(), dataSize: number(0.1...9), weightDecay: schedule())
            case 14:
                return SGHMC(
                    learningRate: schedule(), friction: Scheduled(number(0.5...1)),
                    gradientNoise: schedule(0.4), temperature: schedule(), dataSize: number(0.1...9),
                    weightDecay: schedule())
            case 15:
                return SGNHT(
                    learningRate: schedule(), friction: Scheduled(number(0.5...1)),
                    inertia: Scheduled(number(0.5...1)), temperature: schedule(),
                    dataSize: number(0.1...9), weightDecay: schedule())
            case 16:
                return IVON(
                    learningRate: schedule(), effectiveSampleSize: Scheduled(number(1...9)),
                    initialHessian: number(0.1...1), beta1: schedule(0.9), beta2: Scheduled(momentum),
                    clipRadius: Scheduled(number(0.1...9)), debias: coin(), rescaleRate: coin(),
                    samples: count())
            case 17:
                return BSAM(
                    learningRate: schedule(), rho: schedule(), effectiveSampleSize: Scheduled(number(1...9)),
                    initialPrecision: number(0.1...1), beta1: schedule(0.9), beta2: Scheduled(momentum),
                    damping: schedule())
            case 0: return SGD(learningRate: schedule(), momentum: schedule(0.9), dampening: schedule(1))
            case 1: return SGD(learningRate: schedule(), momentum: Scheduled(momentum), nesterov: true)
            case 2:
                return Momentum(learningRate: schedule(), momentum: schedule(0.9), weightDecay: schedule())
            case 3: return Nesterov(learningRate: schedule(), momentum: Scheduled(momentum))
            case 4:
                return Adam(
                    learningRate: schedule(), beta1: schedule(0.9), beta2: schedule(0.999),
                    epsilon: schedule(),
                    weightDecay: schedule(), amsgrad: coin())
            case 5:
                return AdamW(
                    learningRate: schedule(), beta1: schedule(0.9), beta2: schedule(0.999),
                    epsilon: schedule(),
                    weightDecay: schedule(), amsgrad: coin())
            default:
                return RMSProp(
                    learningRate: schedule(), alpha: schedule(0.99), epsilon: schedule(),
                    weightDecay: schedule(),
                    momentum: schedule(0.9), centred: coin())
            }
        }

        mutating func maybe(_ value: Double) -> Scheduled? { coin() ? Scheduled(value) : nil }

        mutating func stability() -> Stability {
            let window = count(10...200)
            let guarding = SpikeGuard(
                deviations: number(0.1...9), smallestDeviation: number(), window: window,
                minimumHistory: count(2...window),
                snapshotEvery: count(), cut: number(0...1), attempts: count(0...9))
            return Stability(
                clipValue: maybe(number(0.1...5)), clipNorm: maybe(number(0.1...5)),
                clipGlobalNorm: maybe(number(0.1...5)),
                clipAdaptive: coin()
                    ? AdaptiveClip(
                        ratio: Scheduled(number(0.1...5)), floor: number(0.1...1), unitWise: coin(),
                        exclude: coin() ? ["a.*"] : []) : nil,
                perturbationToGradient: coin() ? schedule() : nil,
                varianceBound: coin() ? schedule() : nil, sigmaMax: coin() ? schedule() : nil,
                trustRegion: coin()
                    ? TrustRegion(ratio: Scheduled(number(0.1...5)), floor: number(0.1...1)) : nil,
                skipNonFinite: coin(),
                rollbackOnSpike: coin() ? guarding : nil)
        }

        mutating func controller() -> any Controller {
            let scales = ControlledQuantity.allCases[count(0...1)]
            switch count(0...4) {
            case 0:
                return Plateau(
                    scales: scales, factor: number(0.1...0.9), patience: count(), threshold: number(0...0.9),
                    cooldown: count(0...9), window: count(), minimum: number(0...1), maximum: number(1...9))
            case 1:
                return LossImprovement(
                    scales: scales, rate: number(-1...1), window: count(), slower: number(0.1...2),
                    faster: number(0.1...2), minimum: number(0...1), maximum: number(1...9))
            case 2:
                return TargetNoiseRatio(
                    target: Scheduled(number(0.1...2)), of: coin() ? .gradient : .update, every: count(),
                    gain: number(0.1...1), minimum: number(0...1), maximum: number(1...9))
            case 3:
                return ParameterDistance(
                    scales: scales, target: Scheduled(number(0.1...2)), of: coin() ? .step : .perturbation,
                    every: count(), rate: number(1.1...2), minimum: number(0...1), maximum: number(1...9))
            default:
                return GradientNoiseScale(
                    scales: scales, target: number(0.1...9), smoothing: number(0...0.99),
                    minimumHistory: count(),
                    minimum: number(0...1))
            }
        }

        mutating func everything() -> Everything {
            Everything(
                equation: PerturbedEquation(
                    rule: rule(), parameterPerturbation: parameterPerturbation(),
                    perturbation: perturbations(), stability: stability(),
                    controllers: (0..<count(0...2)).map { _ in controller() },
                    rounding: coin() ? .stochastic : .nearest),
                groups: (0..<count(0...3)).map {
                    ParameterGroup(
                        ["g\($0).*"], rule: coin() ? rule() : nil,
                        perturbation: coin() ? perturbations() : nil)
                })
        }
    }

    @Test func fuzz() throws {
        var maker = Maker()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var kinds = Set<String>()
        for _ in 0..<1500 {
            let value = maker.everything()
            let written = try encoder.encode(value)
            let text = String(decoding: written, as: UTF8.self)
            do {
                let read = try JSONDecoder().decode(Everything.self, from: written)
                #expect(try encoder.encode(read) == written, "seed \(maker.random.seed): \(text)")
                // Reading is not only writing's inverse on paper: the values over time are the same.
                let run = RunLength(steps: 300, stepsPerEpoch: 7)
                for step in [0, 1, 7, 100] {
                    let resolved = value.equation.resolved(for: run).rule.learningRate.value(at: step)
                    let again = read.equation.resolved(for: run).rule.learningRate.value(at: step)
                    #expect(resolved == again, "seed \(maker.random.seed): \(text)")
                }
                kinds.formUnion(read.equation.perturbation.map { type(of: $0).catalogueEntry.name })
                kinds.formUnion(
                    read.equation.parameterPerturbation.map { [type(of: $0).catalogueEntry.name] } ?? [])
                kinds.insert(type(of: read.equation.rule).catalogueEntry.name)
            } catch {
                Issue.record("seed \(maker.random.seed): \(error) of \(text)")
            }
        }
        let all =
            Catalogue.builtIn.perturbations.map { $0.catalogueEntry.name }
            + Catalogue.builtIn.parameterPerturbations.map { $0.catalogueEntry.name }
            + Catalogue.builtIn.rules.map { $0.catalogueEntry.name }
        #expect(kinds == Set(all))
    }
}
