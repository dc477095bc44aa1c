import Experiments
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// What an equation is refused for in a run, with its line.
@Suite struct EquationOfARunTests {
    static let reported = "parameterPerturbation: {parameterSpaceNoise: {distance: reported}}"

    /// Nothing in a run reports a distance: the noise would never adapt.
    @Test func reportedDistances() throws {
        let text = """
            model: {mlp: {hidden: [4]}}
            data: digits
            training: {epochs: 1}
            rule: {sgd: {learningRate: 0.1}}
            \(Self.reported)
            """
        func config(_ text: String) throws -> ExperimentConfig {
            try ConfigDecoder.decode(
                ExperimentConfig.self, from: ConfigNode(yaml: text, file: "a.yaml"), file: "a.yaml")
        }
        let error = #expect(throws: ConfigError.self) { try config(text) }
        #expect(error?.keyPath == "parameterPerturbation.parameterSpaceNoise.distance")
        #expect("\(try #require(error))".hasPrefix("a.yaml:5: ") == true)
        _ = try config(text.replacing("reported", with: "loss"))
    }

    /// What only the optimizer can refuse is said with its place in the file, too.
    @Test(arguments: [
        (
            "rule: {sgd: {learningRate: {step: {from: 0.1, factor: 0.5, every: {epochs: 3}}}}}",
            "rule.sgd.learningRate", "stepsPerEpoch"
        ),
        (
            "rule: {sgd: {learningRate: 0.1}}\ncontrollers: [{plateau: {factor: 0.3}}]",
            "controllers.0.plateau.scales", "learningRate"
        ),
        (
            "rule: {sgd: {learningRate: 0.1}}\n\(Self.reported)",
            "parameterPerturbation.parameterSpaceNoise.distance", "loss"
        ),
    ])
    func traces(_ equation: String, _ path: String, _ words: String) throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("trace.yaml")
        try "\(equation)\nproblem: {start: [1, 2]}\nsteps: 3\n".write(
            to: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: ConfigError.self) { try EquationTrace(contentsOf: file) }
        #expect(
            error?.keyPath == path && error?.problem.contains(words) == true, "\(String(describing: error))")
        let line = equation.split(separator: "\n").count
        #expect(
            error.map { "\($0)".contains("trace.yaml:\(line): ") } == true, "\(String(describing: error))")
    }
}
