import ArgumentParser
import Experiments
import Foundation
import Training

/// `peo tune`
struct Tune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search good values for the settings of a configuration.",
        discussion: """
            Examples:
              peo tune Examples/tune-digits.yaml
              peo tune Examples/tune-digits.yaml --json
              peo tune Examples/tune-cartpole.yaml
              peo tune Examples/digits-mlp.yaml --find-sigma

            A search names a configuration and the values that some of its settings may take. Trials are proposed at random,
            evenly (Sobol) or by what did well so far (TPE), judged on held-out data (an agent by its returns), and trained longer
            where they are among the best (successive halving). The best are then trained to their end with seeds of their own, beside the
            configuration as it is, and the best of those is written to best.yaml. A search that was interrupted or killed
            goes on with the same command.

            --find-sigma takes a configuration and trains it twice, side by side: without noise, and with noise that rises
            from tiny to breaking. It says from where the noise is felt and where it breaks the training, draws both losses
            (noise-range.svg), and writes a search in between (tune.yaml).
            """)

    @Argument(
        help: "The search, a YAML file: config, search, trials. With --find-sigma, a configuration.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the search is kept (default: searches/<name>).", valueName: "directory"))
    var output: String?

    @Flag(name: .long, help: "Print the report as one JSON object, and no progress.")
    var json = false

    @Flag(name: .long, help: "Find the range of strengths at which noise is felt and not yet breaking.")
    var findSigma = false

    @Option(
        name: .long,
        help: "With --find-sigma: the first strength, by each tensor's RMS gradient (default: 0.001).")
    var from: Double?

    @Option(name: .long, help: "With --find-sigma: the last strength (default: 1000).")
    var to: Double?

    @Option(
        name: .long,
        help: "With --find-sigma: steps of each run (default: the configuration's, 1000 at most).")
    var steps: Int?

    func validate() throws {
        guard findSigma else {
            guard from == nil, to == nil, steps == nil else {
                throw ValidationError("--from, --to and --steps go with --find-sigma")
            }
            return
        }
        guard ramp.from > 0, ramp.to.isFinite, ramp.to > ramp.from else {
            throw ValidationError(
                "--from is \(ramp.from) and --to \(ramp.to); allowed: more than 0, and a larger finite number"
            )
        }
        try require("--steps", steps, in: 100 ... .max)
    }

    private var ramp: NoiseRangeTest.Ramp {
        var ramp = NoiseRangeTest.Ramp()
        ramp.from = from ?? ramp.from
        ramp.to = to ?? ramp.to
        ramp.steps = steps
        return ramp
    }

    func run() throws {
        Interruption.listen()
        try findSigma ? findRange() : search()
    }

    private func findRange() throws {
        let test = try NoiseRangeTest(contentsOf: URL(fileURLWithPath: config), ramp: ramp, output: output)
        let isQuiet = json
        let report = try test.run(program: try Compare.program()) { if !isQuiet { Output.note($0) } }
        guard !json else { return try Output.writeJSON(report) }
        let directory = test.directory.relativePath
        var lines = [report.text, "", "picture: \(directory)/noise-range.svg"]
        if report.range.band != nil { lines.append("search: peo tune \(directory)/tune.yaml") }
        try Output.write(lines.joined(separator: "\n"))
    }

    private func search() throws {
        let search = try Search(contentsOf: URL(fileURLWithPath: config), output: output)
        if !json { Output.note("searching in \(search.directory.relativePath)") }
        let isQuiet = json
        let report = try search.run(program: try Compare.program()) { if !isQuiet { Output.note($0) } }
        guard !json else { return try Output.writeJSON(report) }
        try Output.write(report.text + "\n\n" + Self.advice(report, in: search.directory.relativePath))
    }

    /// What to do with what was found.
    private static func advice(_ report: SearchReport, in directory: String) -> String {
        guard let best = report.best else {
            return "None of the best trials was trained to its end with every seed; nothing is recommended."
        }
        var lines = ["best: trial \(best), in \(directory)/best.yaml: peo train \(directory)/best.yaml"]
        if report.finalists.contains(where: { $0.trial == nil }) {
            lines.append(
                "Whether it is better than the configuration as it is\(report.isOfAgents ? "" : ", on the test data"): "
                    + "peo compare \(directory)/compare.yaml"
            )
        }
        return lines.joined(separator: "\n")
    }
}
