import ArgumentParser
import Experiments
import Foundation
import Safetensors

/// `peo report`
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a report on a run, a comparison or a reproduction: one HTML file with charts.",
        discussion: """
            Examples:
              peo report runs/digits-cnn
              peo report comparisons/compare-digits --output compare.html

            The file holds everything that it shows, works without a network, and follows the reader's light or dark colours. Its
            charts are drawn by Plotly, which scripts/plotly fetches once (make does).
            """)

    @Argument(
        help: "The directory of a run, a comparison or a reproduction.", completion: .directory)
    var directory: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to (default: report.html in the directory).", valueName: "file"))
    var output: String?

    @Flag(name: .long, help: "Print one JSON object: the report's path and size.")
    var json = false

    private struct Written: Encodable {
        var report: String
        var bytes: Int
    }

    func run() throws {
        let place = URL(fileURLWithPath: directory)
        let file = output.map { URL(fileURLWithPath: $0) } ?? place.appendingPathComponent("report.html")
        let html = Data(try ReportCatalogue.html(of: place, plotly: try PlotlyScript.load()).utf8)
        try AtomicFile.write(html, to: file)
        try json
            ? Output.writeJSON(Written(report: file.relativePath, bytes: html.count))
            : Output.write(file.relativePath)
    }
}
