import ArgumentParser
import Experiments
import Foundation
import Torch

extension Bench {
    /// `peo bench loading`
    struct Loading: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What loading costs: training steps per second by those on one batch held in memory.")

        @Argument(help: "\(TrainingCase.all.map(\.name).joined(separator: ", ")); all unless given.")
        var name: String?

        @Option(help: "Seconds of each half of the nine rounds.")
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
                try (one.isOfImages ? [false, true] : [false]).map {
                    try one.runLoading(augmented: $0, seconds: seconds)
                }
            }
            if json { return try Output.writeJSON(["loading": reports]) }
            try Output.write(
                reports.map { report in
                    "\(report.name)\(report.augmented ? ", cropped and mirrored" : ""), "
                        + "\(report.threads) thread(s): "
                        + String(
                            format: "%.1f steps/s, %.1f held in memory: %.1f%%", report.stepsPerSecond,
                            report.heldStepsPerSecond, report.ratio * 100)
                }.joined(separator: "\n"))
        }
    }
}
