import ArgumentParser
import Experiments
import Foundation
import Torch
import Training

extension Bench {
    /// `peo bench training`
    struct Training: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Training steps per second of small models, with and without perturbation.")

        private static func names(_ cases: [TrainingCase]) -> String {
            cases.map(\.name).joined(separator: ", ")
        }

        @Argument(
            help: "\(names(TrainingCase.all)); all unless given. For a GPU: \(names(TrainingCase.large))."
        )
        var name: String?

        /// What to add to the gradient.
        enum Noise: String, ExpressibleByArgument, CaseIterable { case none, gaussian, both }

        @Option(help: "Train with no noise, with gaussian noise, or with each in turn.")
        var noise = Noise.both

        @Option(help: "Where the model computes: cpu, cuda:0, …", transform: Self.device)
        var device = Device.cpu

        @Option(help: "Of forward and backward passes: float32 or bfloat16.")
        var precision = Precision.float32

        @Option(help: "Seconds of each of the five rounds.")
        var seconds = 0.5

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        func validate() throws {
            try Bench.requireSeconds(seconds)
            try Bench.requireCase(name, of: (TrainingCase.all + TrainingCase.large).map(\.name))
            guard Device.all.contains(device) else {
                throw ValidationError(
                    "--device is \(device), and this libtorch (\(Libtorch.version), \(Libtorch.gpuSupport)) has: "
                        + Device.all.map(\.description).joined(separator: ", "))
            }
        }

        private static func device(_ text: String) throws -> Device {
            guard let device = Device(text) else {
                throw ValidationError("--device is '\(text)'; allowed: cpu, cuda, cuda:0, cuda:1 and so on")
            }
            return device
        }

        private static func parts(_ report: TrainingCase.Report) -> String {
            guard let update = report.updateMilliseconds, let copies = report.copyMilliseconds else {
                return ""
            }
            return String(
                format: "; update %.2f ms of %.2f, copying %.2f of that", update,
                1000 / report.stepsPerSecond,
                copies)
        }

        func run() throws {
            Libtorch.keepFreedMemory()
            let reports = try Bench.cases(name).flatMap { one in
                try [false, true].filter { noise == .both || $0 == (noise == .gaussian) }.map {
                    try one.run(perturbed: $0, seconds: seconds, device: device, precision: precision)
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
                        + Self.parts(report)
                }.joined(separator: "\n"))
        }
    }
}

extension Precision: ExpressibleByArgument {}
