import Foundation
import PerturbedEquations
import Testing

/// What `peo list` says of a type is what the type reads and writes: the documentation cannot drift.
@Suite struct CatalogueTests {
    /// A value of each type, whose settings all get written.
    static let values: [any Catalogued] = [
        Gaussian(sigma: 0.5), Uniform(sigma: 0.5), Laplace(sigma: 0.5), DropNoise(probability: 0.5),
        GradientScaled(alpha: 0.5), Orthogonal(sigma: 0.5), WeightPenalty(), Adaptive(alpha: 0.5, .identity),
        Rotation(angle: 0.5), CurvatureShaped(sigma: 0.5), GradientCovariance(), GradDrop(),
        AntiCorrelated(sigma: 0.5), SaddleEscape(radius: 0.5, gradientThreshold: 0.5, stepThreshold: 5),
        Anchor(strength: 0.5), Learned(sigma: 0.5), Mixture([.init(Gaussian(sigma: 0.5), weight: 0.5)]),
        Alternating([Gaussian(sigma: 0.5)]), Curriculum([.init(from: 0, Gaussian(sigma: 0.5))]),
        SAM(), ASAM(), GSAM(), LookSAM(), RandomWeights(), AWP(), ParameterSpaceNoise(), EntropySGD(), MeZO(),
        IVON(effectiveSampleSize: 0.5), BSAM(learningRate: 0.5, effectiveSampleSize: 0.5),
        SGD(learningRate: 0.5), Momentum(learningRate: 0.5), Nesterov(learningRate: 0.5), Adam(), AdamW(),
        RMSProp(), AdaGrad(), AdamPE(), RMSPE(), PNM(learningRate: 0.5), AdaPNM(), SGLD(learningRate: 0.5),
        PSGLD(learningRate: 0.5), SGHMC(learningRate: 0.5), SGNHT(learningRate: 0.5), ConstantSchedule(0.5),
        LinearSchedule(from: 0.5, to: 0.5, steps: 5), GeometricSchedule(from: 0.5, to: 0.5, steps: 5),
        ExponentialSchedule(from: 0.5, factor: 0.5), StepSchedule(from: 0.5, factor: 0.5, every: 5),
        CosineSchedule(from: 0.5, steps: 5), InversePowerSchedule(from: 0.5, exponent: 0.5),
        AnnealedGradientNoiseSchedule(eta: 0.5), SequenceSchedule([.init(0.5, for: nil)]),
        ProductSchedule([0.5]), SumSchedule([0.5]), CosineRestartsSchedule(from: 0.5, period: 5),
        PolynomialSchedule(from: 0.5, steps: 5), OneCycleSchedule(peak: 0.5, steps: 5),
        RiseNearTheEndSchedule(from: 0.5, to: 0.5, steps: 5), PiecewiseSchedule([1, 0.5], boundaries: [5]),
        Plateau(), LossImprovement(), TargetNoiseRatio(target: 0.5), ParameterDistance(target: 0.5),
        GradientNoiseScale(),
    ]

    static func json(_ value: some Encodable) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any])
    }

    static func names(_ types: [any Catalogued.Type]) -> [String] { types.map { $0.catalogueEntry.name } }

    static let all: [any Catalogued.Type] =
        Catalogue.builtIn.perturbations + Catalogue.builtIn.parameterPerturbations + Catalogue.builtIn.rules
        + Catalogue.builtIn.schedules + Catalogue.builtIn.controllers

    @Test func everyTypeIsHere() {
        #expect(Self.names(Self.values.map { type(of: $0) }).sorted() == Self.names(Self.all).sorted())
        #expect(Set(Self.names(Self.all)).count == Self.all.count)
    }

    @Test(arguments: values.indices)
    func theParametersAreTheKeys(_ index: Int) throws {
        let value = Self.values[index]
        let entry = type(of: value).catalogueEntry
        #expect(try Self.json(value).keys.sorted() == entry.parameters.map(\.name).sorted(), "\(entry.name)")
        #expect(!entry.summary.isEmpty && !entry.equation.isEmpty && !entry.source.isEmpty)
        for parameter in entry.parameters {
            #expect(!parameter.kind.isEmpty && !parameter.allowed.isEmpty && !parameter.meaning.isEmpty)
        }
    }

    /// Leaving a setting out is writing its default; a setting without one is required.
    @Test(arguments: values.indices)
    func theDefaultsAreTheDefaults(_ index: Int) throws {
        func check<T: Catalogued>(_ value: T) throws {
            let whole = try Self.json(value)
            func decode(_ object: [String: Any]) throws -> NSDictionary {
                let data = try JSONSerialization.data(withJSONObject: object)
                return try Self.json(JSONDecoder().decode(T.self, from: data)) as NSDictionary
            }
            for parameter in T.catalogueEntry.parameters {
                var without = whole
                without[parameter.name] = nil
                let place = "\(T.catalogueEntry.name).\(parameter.name)"
                guard let text = parameter.defaultValue else {
                    #expect(throws: (any Error).self, "\(place)") { try decode(without) }
                    continue
                }
                let decoded = try decode(without)
                // What whoever runs the equation fills in.
                if ["the length of the run", "the posterior's"].contains(text) {
                    #expect(decoded[parameter.name] == nil, "\(place)")
                    continue
                }
                var with = whole
                with[parameter.name] =
                    text == "true" ? true : text == "false" ? false : Double(text).map { $0 as Any } ?? text
                #expect(try decode(with) == decoded, "\(place)")
            }
        }
        try check(Self.values[index])
    }

    /// The guards are the keys of `stability`, and the spike guard's parameters its own.
    @Test func guards() throws {
        let full = Stability(
            clipValue: 1, clipNorm: 1, clipGlobalNorm: 1, clipAdaptive: AdaptiveClip(ratio: 1),
            perturbationToGradient: 1, varianceBound: 1, sigmaMax: 1, trustRegion: TrustRegion(ratio: 1),
            rollbackOnSpike: SpikeGuard())
        let keys = try Self.json(full)
        #expect(keys.keys.sorted() == Catalogue.guards.map(\.name).sorted())
        let spike = try #require(Catalogue.guards.first { $0.name == "rollbackOnSpike" })
        let settings = try #require(keys["rollbackOnSpike"] as? [String: Any])
        #expect(settings.keys.sorted() == spike.parameters.map(\.name).sorted())
        for parameter in spike.parameters {
            #expect(
                (settings[parameter.name] as? NSNumber)?.doubleValue
                    == parameter.defaultValue.flatMap { Double($0) })
        }
        #expect(try JSONDecoder().decode(SpikeGuard.self, from: Data("{}".utf8)) == SpikeGuard())
        for name in ["clipAdaptive", "trustRegion"] {
            let guarding = try #require(Catalogue.guards.first { $0.name == name })
            let settings = try #require(keys[name] as? [String: Any])
            #expect(settings.keys.sorted() == guarding.parameters.map(\.name).sorted())
            for parameter in guarding.parameters {
                guard let text = parameter.defaultValue else { continue }
                #expect(
                    settings[parameter.name] as? NSObject
                        == (text == "[]"
                            ? [] as NSArray : NSNumber(value: text == "true" ? 1 : Double(text)!)))
            }
        }
    }

    /// A type of the user's is read once it is in the decoder's catalogue.
    @Test func ownTypes() throws {
        let text = Data(#"{"rule": "adam", "perturbation": [{"CubedNoise": {"sigma": 0.5}}]}"#.utf8)
        #expect(throws: ConfigurationError.self) {
            try JSONDecoder().decode(PerturbedEquation.self, from: text)
        }
        var catalogue = Catalogue.builtIn
        catalogue.perturbations.append(CubedNoise.self)
        let decoder = JSONDecoder()
        decoder.userInfo[.catalogue] = catalogue
        #expect(try decoder.decode(PerturbedEquation.self, from: text).perturbation[0] is CubedNoise)
    }
}
