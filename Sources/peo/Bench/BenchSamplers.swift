import ArgumentParser
import Experiments
import Foundation

extension Bench {
    /// `peo bench samplers`
    struct Samplers: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draws per second on one core, all of them written to files.",
            discussion: "For posteriors and BlackJAX beside it: make bench-samplers.")

        @Argument(help: "\(SamplerBenchmark.names.joined(separator: ", ")); all unless given.")
        var name: String?

        @Option(help: "Draws of each of the five rounds.")
        var draws = 20_000

        @Option(help: "Steps from one draw to the next.")
        var thin = 1

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        // For Benchmarks/samplers.py: the others sample from the same examples, and it compares the draws.
        @Flag(name: .long, help: .hidden)
        var data = false

        @Option(help: .hidden)
        var keep: String?

        func validate() throws {
            try Bench.requireCase(name, of: SamplerBenchmark.names)
            try require("--draws", draws, in: 10...10_000_000)
            try require("--thin", thin, in: 1...10_000)
        }

        func run() throws {
            if data, let name {
                _ = try SamplerBenchmark.examples(of: name).withUnsafeBytes { try Output.writeBytes($0) }
                return
            }
            var benchmark = SamplerBenchmark(draws: draws, thin: thin)
            benchmark.keeping = keep.map { URL(fileURLWithPath: $0, isDirectory: true) }
            let rows = try benchmark.run(name)
            if json { return try Output.writeJSON(["samplers": rows]) }
            for row in rows {
                try Output.write(
                    "\(row.name), \(row.rule): \(Int(row.drawsPerSecond.rounded())) draws/s"
                        + (thin > 1 ? ", \(Int((row.drawsPerSecond * Double(thin)).rounded())) steps/s" : ""))
            }
        }
    }
}
