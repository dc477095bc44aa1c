import ArgumentParser
import Experiments
import Foundation

extension Bench {
    /// `peo bench environments`
    struct Environments: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Steps per second of each environment with random actions, on one thread.")

        @Argument(help: "One of peo list environments; all unless given.")
        var name: String?

        @Option(help: "How many copies step in one call.")
        var copies = 16

        @Option(help: "Seconds of each of the five rounds.")
        var seconds = 0.2

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        func validate() throws {
            try Bench.requireSeconds(seconds)
            try require("--copies", copies, in: 1...1_000_000)
        }

        func run() throws {
            if let name { _ = try CatalogueFamily.environments.entry(named: name) }
            let rows = try EnvironmentBenchmark(copies: copies, seconds: seconds).run(name)
            if json { return try Output.writeJSON(["environments": rows]) }
            try Output.write(
                rows.map {
                    "\($0.name), \($0.copies) copies, 1 thread: "
                        + String(format: "%.2f million steps/s", $0.stepsPerSecond / 1e6)
                }.joined(separator: "\n"))
        }
    }
}
