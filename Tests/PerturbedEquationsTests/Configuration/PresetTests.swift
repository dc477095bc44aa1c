import Foundation
import PerturbedEquations
import Testing

/// Perturbations by the kind of network.
@Suite struct PresetTests {
    private static func equation(_ perturbation: String) throws -> PerturbedEquation {
        let text = #"{"rule": {"sgd": {"learningRate": 0.1}}, "perturbation": \#(perturbation)}"#
        return try JSONDecoder().decode(PerturbedEquation.self, from: Data(text.utf8))
    }

    /// A preset stands for its term: what is written is the term itself, so that a run's numbers stay when a preset changes.
    @Test(arguments: PerturbationPreset.all.map(\.name))
    func aPresetIsItsTerm(name: String) throws {
        let preset = try #require(PerturbationPreset.all.first { $0.name == name })
        let equation = try Self.equation(#"[{"preset": "\#(name)"}, {"weightPenalty": {"l2": 0.1}}]"#)
        #expect(equation.perturbation.count == 2)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let written = try encoder.encode(equation)
        let spelt = PerturbedEquation(
            rule: SGD(learningRate: 0.1), perturbation: [preset.term, WeightPenalty(l2: 0.1)])
        #expect(try written == encoder.encode(spelt))
        #expect(!String(decoding: written, as: UTF8.self).contains("preset"))
        try preset.term.validate()
    }

    @Test func anUnknownPresetIsRefused() {
        #expect {
            try Self.equation(#"[{"preset": "smalCNN"}]"#)
        } throws: { error in
            "\(error)".contains(
                #"there is no preset "smalCNN"; did you mean "smallCNN"? Allowed: agent, "#)
        }
    }
}
