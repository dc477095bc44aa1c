import Environments
import Foundation
import PerturbedEquations
import Testing

@Suite struct EnvironmentCatalogueTests {
    private func decode(_ text: String) throws -> NamedEnvironment {
        try JSONDecoder().decode(NamedEnvironment.self, from: Data(text.utf8))
    }

    @Test func everyEnvironmentIsFoundByItsNameAndGoesThroughAConfiguration() throws {
        for type in EnvironmentCatalogue.all {
            let entry = type.catalogueEntry
            let named = try decode("\"\(entry.name)\"")
            #expect(named.name == entry.name)
            let again = try JSONDecoder().decode(
                NamedEnvironment.self, from: JSONEncoder().encode(named))
            #expect("\(again.environment)" == "\(named.environment)")
            // The keys that the type writes are the parameters of its entry.
            let settings = try JSONSerialization.jsonObject(with: JSONEncoder().encode(named))
            let keys = ((settings as? [String: Any])?[entry.name] as? [String: Any])?.keys.sorted()
            #expect(keys == entry.parameters.map(\.name).sorted(), "\(entry.name)")
        }
    }

    @Test func settingsAreTaken() throws {
        #expect(try decode(#"{"NChain": {"length": 12}}"#).environment as? NChain == NChain(length: 12))
        #expect(
            try decode(#"{"Pendulum-v1": {"gravity": 9.81}}"#).environment as? Pendulum
                == Pendulum(gravity: 9.81))
        #expect(
            try decode(#"{"CartPole-v1": {"suttonBartoReward": true}}"#).environment as? CartPole
                == CartPole(suttonBartoReward: true))
    }

    @Test func wrongNamesAndSettingsAreRefused() throws {
        for (text, words) in [
            (#""cartpole""#, "there is no environment \"cartpole\"; did you mean \"CartPole-v1\"?"),
            (#""Pendulum-v0""#, "did you mean \"Pendulum-v1\"?"),
            (#"{"NChain": {"length": 1}}"#, "NChain.length: is 1; allowed: 3 to 10000"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try decode(text) }
            #expect(error?.description.contains(words) == true, "\(error as Any)")
        }
    }
}
