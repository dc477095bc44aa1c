import ArgumentParser
import Experiments
import Foundation
import Torch

extension Bench {
    /// `peo bench training`
    struct Training: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Training steps per second of small models, with and without perturbation.")

        @Argument(help: "\(TrainingCase.all.map(\.name).joined(separator: ", ")); all unless given.")
        var name: String?

        /// What to add to the gradient.
        enum Noise: String, ExpressibleByArgument, CaseIterable { case none, gaussian, both }

        @Option(help: "Train with no noise, with gaussian noise, or with each in turn.")
        var noise = Noise.both

        @Option(help: "Seconds of each of the five rounds.")
        var seconds = 0.5

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        func validate() throws {
            try Bench.requireSeconds(seconds)
            try Bench.requireCase(name, of: TrainingCase.all.map(\.name))
        }

        func run() throws {
            Libtorch.keepFreedMemory()
            let reports = try Bench.cases(name).flatMap { one in
                try [false, true].filter { noise == .both || $0 == (noise == .gaussian) }.map {
                    try one.run(perturbed: $0, seconds: seconds)
                }
            }
            if json {
                try Output.writeJSON(["training": reports])
                return
            }
            try Output.write(
                reports.map { report in
                    "\(report.name)\(report.perturbed ? " + gaussian" : ""), \(report.threads) thread(s): "
                        + String(format: "%.1f steps/s", report.stepsPerSecond)
                }.joined(separator: "\n"))
        }
    }
}
