import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// One catalogued type with one of its settings, in an equation: what the table tests run.
struct Subject: Sendable, CustomTestStringConvertible {
    enum Family: String, CaseIterable, Sendable {
        case perturbation, parameterPerturbation, rule, schedule, controller

        var types: [any Catalogued.Type] {
            switch self {
            case .perturbation: Catalogue.builtIn.perturbations
            case .parameterPerturbation: Catalogue.builtIn.parameterPerturbations
            case .rule: Catalogue.builtIn.rules
            case .schedule: Catalogue.builtIn.schedules
            case .controller: Catalogue.builtIn.controllers
            }
        }

        var samples: [String: [CatalogueSample]] {
            switch self {
            case .perturbation: CatalogueSample.perturbations
            case .parameterPerturbation: CatalogueSample.parameterPerturbations
            case .rule: CatalogueSample.rules
            case .schedule: CatalogueSample.schedules
            case .controller: CatalogueSample.controllers
            }
        }
    }

    let family: Family
    let name: String
    let sample: CatalogueSample

    var testDescription: String { "\(family.rawValue) \(name) \(sample.settings)" }

    /// Every sample of every catalogued type.
    static let all: [Subject] = Family.allCases.flatMap { family in
        family.types.flatMap { type in
            (family.samples[type.catalogueEntry.name] ?? []).map {
                Subject(family: family, name: type.catalogueEntry.name, sample: $0)
            }
        }
    }

    static func of(_ family: Family) -> [Subject] { all.filter { $0.family == family } }

    var entry: CatalogueEntry {
        family.types.map { $0.catalogueEntry }.first { $0.name == name }!
    }

    /// The equation with the sample in it.
    func equation() throws -> PerturbedEquation { try Self.read(text(sample.settings)) }

    /// The equation with the type at strength zero.
    func zeroEquation() throws -> PerturbedEquation? {
        try sample.zero.map { try Self.read(text($0)) }
    }

    /// The same equation without the type; nil for what an equation cannot be without.
    func baseEquation() throws -> PerturbedEquation? {
        switch family {
        case .perturbation, .parameterPerturbation: try Self.read(#"{"rule": \#(sample.rule)}"#)
        case .rule, .schedule, .controller: nil
        }
    }

    /// The configuration of the equation with these settings of the type.
    func text(_ settings: String) -> String {
        let own = #"{"\#(name)": \#(settings)}"#
        return switch family {
        case .perturbation: #"{"rule": \#(sample.rule), "perturbation": [\#(own)]}"#
        case .parameterPerturbation: #"{"rule": \#(sample.rule), "parameterPerturbation": \#(own)}"#
        case .rule: #"{"rule": \#(own), "perturbation": [{"gaussian": {"sigma": 0.1}}]}"#
        case .controller:
            #"{"rule": \#(sample.rule), "perturbation": [{"gaussian": {"sigma": 0.1}}], "controllers": [\#(own)]}"#
        case .schedule:
            #"{"rule": {"sgd": {"learningRate": \#(own)}}, "perturbation": [{"gaussian": {"sigma": \#(own)}}]}"#
        }
    }

    static func read(_ text: String) throws -> PerturbedEquation {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(PerturbedEquation.self, from: Data(text.utf8))
    }

    static func write(_ equation: PerturbedEquation) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(equation), as: UTF8.self)
    }
}
