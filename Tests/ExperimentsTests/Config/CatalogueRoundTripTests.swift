import Experiments
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Every catalogued type written as YAML and read again is the same.
@Suite struct CatalogueRoundTripTests {
    static func check<T: Codable>(_ type: T.Type, _ name: String, _ sample: CatalogueSample) throws {
        // JSON is YAML.
        let written = #"{"\#(name)": \#(sample.settings)}"#
        let value = try ConfigDecoder.decode(type, from: ConfigNode(yaml: written))
        let text = try ConfigEncoder.encode(value).yaml()
        let again = try ConfigDecoder.decode(type, from: ConfigNode(yaml: text))
        #expect(try ConfigEncoder.encode(again).yaml() == text)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(try encoder.encode(again) == encoder.encode(value), "\(text)")
        // An unknown setting is refused, with its name.
        let more = sample.settings.dropLast() + (sample.settings == "{}" ? "" : ",") + #""strenght": 1}"#
        let error = #expect(throws: (any Error).self) {
            try ConfigDecoder.decode(type, from: ConfigNode(yaml: #"{"\#(name)": \#(more)}"#))
        }
        #expect(error.map { "\($0)".contains("strenght") } == true)
    }

    @Test func throughYAML() throws {
        func all<T: Codable>(
            _ types: [any Catalogued.Type], _ samples: [String: [CatalogueSample]], as wrapper: T.Type
        ) throws {
            for type in types {
                let name = type.catalogueEntry.name
                let own = try #require(
                    samples[name], "\(name) has no settings in Tests/TestSupport/CatalogueSamples.swift")
                for sample in own { try Self.check(wrapper, name, sample) }
            }
        }
        let catalogue = Catalogue.builtIn
        try all(catalogue.perturbations, CatalogueSample.perturbations, as: NamedPerturbation.self)
        try all(
            catalogue.parameterPerturbations, CatalogueSample.parameterPerturbations,
            as: NamedParameterPerturbation.self)
        try all(catalogue.rules, CatalogueSample.rules, as: NamedRule.self)
        try all(catalogue.controllers, CatalogueSample.controllers, as: NamedController.self)
        try all(catalogue.schedules, CatalogueSample.schedules, as: Scheduled.self)
    }
}
