import ArgumentParser
import Experiments
import Foundation
import Safetensors

/// `peo picture`
struct Picture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw what a perturbation adds to a gradient, as SVG.",
        discussion: """
            A gradient, δ beside it, one against the other, and the distribution of δ.

            Examples:
              peo picture 'gaussian: {sigma: 0.5}' -o gaussian.svg
              peo picture 'dropNoise: {probability: 0.3}' > drop.svg
            """)

    @Argument(help: "The term as in a configuration.")
    var term: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to (default: standard output).", valueName: "file"))
    var output: String?

    @Option(help: "Selects the noise.")
    var seed: UInt64 = 1

    func run() throws {
        let svg = try PerturbationPicture(yaml: term, seed: seed).svg()
        guard let output else { return try Output.write(svg) }
        try AtomicFile.write(Data(svg.utf8), to: URL(fileURLWithPath: output))
    }
}
