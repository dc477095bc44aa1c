/// A rule as it is written: `{adam: {…}}`.
public struct NamedRule: Sendable, Codable {
    public var rule: any UpdateRule

    public init(_ rule: any UpdateRule) {
        self.rule = rule
    }

    public init(from decoder: any Decoder) throws {
        rule = try decodeNamed(
            decoder, kind: "rule", among: decoder.catalogue.rules, as: (any UpdateRule).self)
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(rule, to: encoder)
    }
}

/// A perturbation as it is written: `{gaussian: {…}}`.
public struct NamedPerturbation: Sendable, Codable {
    public var term: any Perturbation

    public init(_ term: any Perturbation) {
        self.term = term
    }

    public init(from decoder: any Decoder) throws {
        let value = try decodeNamed(
            decoder, kind: "perturbation", among: decoder.catalogue.perturbations + [PresetReference.self])
        guard let term = (value as? PresetReference)?.preset.term ?? value as? any Perturbation else {
            preconditionFailure("the catalogue of perturbations holds perturbations")
        }
        self.term = term
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(term, to: encoder)
    }
}

/// A sum of perturbations as it is written: a list of `{name: {…}}`.
public struct NamedPerturbations: Sendable, Codable {
    public var terms: [any Perturbation]

    public init(_ terms: [any Perturbation]) {
        self.terms = terms
    }

    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        terms = []
        while !container.isAtEnd {
            terms.append(try container.decode(NamedPerturbation.self).term)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for term in terms { try container.encode(NamedPerturbation(term)) }
    }
}

/// A parameter perturbation as it is written: `{sam: {…}}`.
public struct NamedParameterPerturbation: Sendable, Codable {
    public var perturbation: any ParameterPerturbation

    public init(_ perturbation: any ParameterPerturbation) {
        self.perturbation = perturbation
    }

    public init(from decoder: any Decoder) throws {
        perturbation = try decodeNamed(
            decoder, kind: "parameter perturbation", among: decoder.catalogue.parameterPerturbations,
            as: (any ParameterPerturbation).self)
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(perturbation, to: encoder)
    }
}

/// A controller as it is written: `{plateau: {…}}`.
public struct NamedController: Sendable, Codable {
    public var controller: any Controller

    public init(_ controller: any Controller) {
        self.controller = controller
    }

    public init(from decoder: any Decoder) throws {
        controller = try decodeNamed(
            decoder, kind: "controller", among: decoder.catalogue.controllers, as: (any Controller).self)
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(controller, to: encoder)
    }
}
