import ArgumentParser
import Experiments
import Foundation
import Training

/// `peo compare`
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train arms over seeds, and say whether they differ.",
        discussion: """
            Examples:
              peo compare Examples/compare-digits.yaml
              peo compare Examples/compare-digits.yaml --json

            Arms are changes of one configuration, paired by seed and trained with equal compute: an arm whose step takes half
            as many gradients as another's is trained twice as long. Where an arm has several values to choose from, they are
            judged on held-out data with other seeds. Cells run side by side, each in a process of its own. A comparison that
            was interrupted or killed goes on with the same command, without the cells that are done; cells that failed are
            tried again. Its metric, level, parallel and comments may change then, and seeds may be added: but seeds that are
            added because of what was seen make a wrong verdict likelier than the level says.
            """)

    @Argument(
        help: "The comparison, a YAML file: config, arms, seeds.",
        completion: .file(extensions: ["yaml", "yml"]))
    var comparison: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where the comparison is kept (default: comparisons/<name>).", valueName: "directory"))
    var output: String?

    @Flag(name: .long, help: "Print the report as one JSON object, and no progress.")
    var json = false

    func run() throws {
        Interruption.listen()
        let comparison = try Comparison(contentsOf: URL(fileURLWithPath: comparison), output: output)
        if !json { Output.note("\(comparison.cellCount) cells in \(comparison.directory.relativePath)") }
        let isQuiet = json
        let report = try comparison.run(program: try Self.program()) { if !isQuiet { Output.note($0) } }
        try json ? Output.writeJSON(report) : Output.write(report.text)
    }

    /// This program: cells are trained by it.
    static func program() throws -> URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    }
}
