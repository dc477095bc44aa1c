import ArgumentParser
import Experiments
import Foundation

/// `peo trace`
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run an equation on a quadratic loss and print θ after every step.",
        discussion: """
            The loss is Σ ½hᵢθᵢ² + wᵢθᵢ, so that what the equation did can be checked by hand. The file holds the
            equation as in a configuration, and the problem:

              rule: {sgd: {learningRate: 0.1}}
              perturbation: [{gaussian: {sigma: 0.1}}]
              problem: {start: [1, -2], curvature: [1, 3]}
              steps: 5
            """)

    @Argument(help: "A YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Flag(name: .long, help: "Print one JSON object: theta, loss, evaluations.")
    var json = false

    func run() throws {
        let result = try EquationTrace(contentsOf: URL(fileURLWithPath: file)).run()
        if json {
            try Output.writeJSON(result)
            return
        }
        let lines = result.theta.enumerated().map { step, theta in
            "\(step)  " + theta.map { String(format: "% .9g", $0) }.joined(separator: "  ")
        }
        try Output.write((["step  θ"] + lines).joined(separator: "\n"))
    }
}
