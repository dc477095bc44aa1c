import ArgumentParser
import Experiments

extension Bench {
    /// `peo bench step`
    struct Step: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The time of a perturbed step against libtorch's own fused steps.")

        @Option(help: "How many float32 parameters; each takes about 60 bytes.")
        var elements = 25_000_000

        @Option(help: "Threads.")
        var threads = 2

        @Option(help: "How often everything is timed on fresh memory.")
        var placements = 5

        @Option(help: "Timed rounds of each row on each placement.")
        var rounds = 3

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        func validate() throws {
            try require("--elements", elements, in: 1...1_000_000_000)
            try require("--threads", threads, in: 1...1024)
            try require("--placements", placements, in: 1...100)
            try require("--rounds", rounds, in: 1...1000)
        }

        func run() throws {
            let report = try StepBenchmark(
                elements: elements, threads: threads, placements: placements, rounds: rounds
            ).run()
            if json { try Output.writeJSON(report) } else { try Output.write(report.table) }
        }
    }
}
