import Foundation
import PerturbedEquations
import ReinforcementLearning
import Testing

@Suite struct OffPolicyCatalogueTests {
    /// Each setting that is listed is read, and no other.
    @Test func theCatalogueSaysWhatIsRead() throws {
        var sac = SAC()
        sac.temperature = 0.1
        sac.targetEntropy = -1
        sac.exploration = NamedExploration(OrnsteinUhlenbeck())
        for algorithm in [sac, DoubleDQN()] as [any Algorithm] {
            let entry = type(of: algorithm).catalogueEntry
            let text = try JSONEncoder().encode(NamedAlgorithm(algorithm))
            let object = try #require(JSONSerialization.jsonObject(with: text) as? [String: [String: Any]])
            #expect(Set(object[entry.name, default: [:]].keys) == Set(entry.parameters.map(\.name)))
            let again = try JSONDecoder().decode(NamedAlgorithm.self, from: text)
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            #expect(try encoder.encode(again) == encoder.encode(NamedAlgorithm(algorithm)))
        }
    }
}
