import ArgumentParser
import Experiments
import Foundation
import Safetensors

/// `peo picture`
struct Picture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw what something of the catalogue does, as SVG.",
        discussion: """
            A term of δ: a gradient, δ beside it, one against the other, and the distribution of δ. A perturbation of the
            parameters or a rule: its path on a quadratic. A schedule: its curve. A controller: its factor over a run. A
            guard: what becomes of a gradient. Noise on data or activations: what it changes.

            Examples:
              peo picture 'gaussian: {sigma: 0.5}' -o gaussian.svg
              peo picture 'dropNoise: {probability: 0.3}' > drop.svg
              peo picture 'cosine: {from: 1, to: 0, warmup: 10}' > cosine.svg
            """)

    @Argument(help: "What to draw, as in a configuration: name: {settings}.")
    var term: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to (default: standard output).", valueName: "file"))
    var output: String?

    @Option(help: "Selects the noise.")
    var seed: UInt64 = 1

    func run() throws {
        let svg = try CataloguePicture.svg(yaml: term, seed: seed)
        guard let output else { return try Output.write(svg) }
        try AtomicFile.write(Data(svg.utf8), to: URL(fileURLWithPath: output))
    }
}
