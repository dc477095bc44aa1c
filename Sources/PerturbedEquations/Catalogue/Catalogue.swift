/// The perturbations of gradient and parameters, rules, schedules and controllers that a configuration can name.
///
/// To add a type of your own, conform it and append it:
///
/// ```swift
/// var catalogue = Catalogue.builtIn
/// catalogue.perturbations.append(MyNoise.self)
/// decoder.userInfo[.catalogue] = catalogue
/// ```
public struct Catalogue: Sendable {
    public var perturbations: [any Perturbation.Type]
    public var parameterPerturbations: [any ParameterPerturbation.Type]
    public var rules: [any UpdateRule.Type]
    public var schedules: [any Schedule.Type]
    public var controllers: [any Controller.Type]

    /// Everything that comes with PEO. Registration of a new type is one line here.
    public static let builtIn = Catalogue(
        perturbations: [
            Gaussian.self, Uniform.self, Laplace.self, DropNoise.self, GradientScaled.self, Orthogonal.self,
            WeightPenalty.self, Adaptive.self, Rotation.self, CurvatureShaped.self, GradientCovariance.self,
            GradDrop.self, AntiCorrelated.self, SaddleEscape.self, Anchor.self, Learned.self, Mixture.self,
            Alternating.self, Curriculum.self,
        ],
        parameterPerturbations: [
            SAM.self, ASAM.self, GSAM.self, LookSAM.self, RandomWeights.self, AWP.self,
            ParameterSpaceNoise.self,
            EntropySGD.self, MeZO.self,
        ],
        rules: [
            SGD.self, Momentum.self, Nesterov.self, Adam.self, AdamW.self, RMSProp.self, AdaGrad.self,
            AdamPE.self, RMSPE.self, PNM.self, AdaPNM.self, SGLD.self, PSGLD.self, SGHMC.self, SGNHT.self,
            IVON.self, BSAM.self,
        ],
        schedules: [
            ConstantSchedule.self, LinearSchedule.self, GeometricSchedule.self, ExponentialSchedule.self,
            StepSchedule.self,
            CosineSchedule.self, CosineRestartsSchedule.self, PolynomialSchedule.self, OneCycleSchedule.self,
            RiseNearTheEndSchedule.self, PiecewiseSchedule.self,
            InversePowerSchedule.self, AnnealedGradientNoiseSchedule.self,
            SequenceSchedule.self, ProductSchedule.self, SumSchedule.self,
        ],
        controllers: [
            Plateau.self, TargetNoiseRatio.self, GradientNoiseScale.self, LossImprovement.self,
            ParameterDistance.self,
        ])

    /// The guards of the stability controller, as the keys of `stability`.
    public static var guards: [CatalogueEntry] { Stability.guards }
}

extension CodingUserInfoKey {
    /// The `Catalogue` that names are looked up in; the built-in one where absent.
    public static let catalogue = CodingUserInfoKey(rawValue: "dev.peo.catalogue")!
}

extension Decoder {
    package var catalogue: Catalogue {
        userInfo[.catalogue] as? Catalogue ?? .builtIn
    }
}

/// Decodes `{name: {settings}}` (or the bare `name`, for default settings) as one of several types.
package func decodeNamed(
    _ decoder: any Decoder, kind: String, among types: [any Catalogued.Type]
) throws -> any Catalogued {
    func find(_ name: String) throws -> any Catalogued.Type {
        if let type = types.first(where: { $0.catalogueEntry.name == name }) { return type }
        throw unknownName(name, kind: kind, among: types.map { $0.catalogueEntry.name })
    }
    if let single = try? decoder.singleValueContainer(), let name = try? single.decode(String.self) {
        let value = try find(name).init(from: NoSettings(decoder))
        try within(name) { try value.validate() }
        return value
    }
    let container = try decoder.container(keyedBy: NamedKey.self)
    let keys = container.allKeys
    guard keys.count == 1, let key = keys.first else {
        let found = keys.isEmpty ? "nothing" : keys.map(\.stringValue).sorted().joined(separator: ", ")
        throw ConfigurationError("expected one \(kind), written {name: {…}}; found \(found)")
    }
    let value = try find(key.stringValue).init(from: container.superDecoder(forKey: key))
    try within(key.stringValue) { try value.validate() }
    return value
}

/// The same, as the family's protocol.
package func decodeNamed<Value>(
    _ decoder: any Decoder, kind: String, among types: [any Catalogued.Type], as _: Value.Type
) throws -> Value {
    guard let value = try decodeNamed(decoder, kind: kind, among: types) as? Value else {
        preconditionFailure("the catalogue of \(kind)s holds \(kind)s")
    }
    return value
}

/// There is no such name; which there are.
func unknownName(_ name: String, kind: String, among names: [String]) -> ConfigurationError {
    let nearest = nearestName(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? "."
    return ConfigurationError(
        "there is no \(kind) \"\(name)\"\(nearest) Allowed: \(names.sorted().joined(separator: ", "))")
}

/// Encodes a value as `{name: {settings}}`.
package func encodeNamed(_ value: any Catalogued, to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    let name = type(of: value).catalogueEntry.name
    try value.encode(to: container.superEncoder(forKey: NamedKey(name)))
}
