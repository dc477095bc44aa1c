import ArgumentParser
import Experiments
import Foundation
import Torch

/// `peo bench`
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Measure speed: the perturbed step, training steps of small models, environments and agents.",
        discussion: """
            Ratios are taken within one run, round by round, and their medians are printed: the machine's speed
            drifts, and ratios do not. For PyTorch and optax beside it, see Benchmarks/.
            """,
        subcommands: [Step.self, Training.self, Loading.self, Environments.self, Agents.self, Samplers.self])

    /// `peo bench step`
    struct Step: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The time of a perturbed step against libtorch's own fused steps.")

        @Option(help: "How many float32 parameters; each takes about 50 bytes.")
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
            guard (1...1_000_000_000).contains(elements) else {
                throw ValidationError("--elements is \(elements); allowed: 1 to 1000000000")
            }
            guard (1...1024).contains(threads) else {
                throw ValidationError("--threads is \(threads); allowed: 1 to 1024")
            }
            guard (1...100).contains(placements) else {
                throw ValidationError("--placements is \(placements); allowed: 1 to 100")
            }
            guard (1...1000).contains(rounds) else {
                throw ValidationError("--rounds is \(rounds); allowed: 1 to 1000")
            }
        }

        func run() throws {
            let report = try StepBenchmark(
                elements: elements, threads: threads, placements: placements, rounds: rounds
            ).run()
            if json { try Output.writeJSON(report) } else { try Output.write(report.table) }
        }
    }

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
            if let name, !SamplerBenchmark.names.contains(name) {
                throw ValidationError(
                    "there is no case '\(name)'; allowed: \(SamplerBenchmark.names.joined(separator: ", "))")
            }
            guard (10...10_000_000).contains(draws) else {
                throw ValidationError("--draws is \(draws); allowed: 10 to 10000000")
            }
            guard (1...10_000).contains(thin) else {
                throw ValidationError("--thin is \(thin); allowed: 1 to 10000")
            }
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
            try Bench.validate(seconds: seconds, name: name)
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
            try Bench.validate(seconds: seconds, name: name)
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
            try Bench.validate(seconds: seconds)
            guard (1...1_000_000).contains(copies) else {
                throw ValidationError("--copies is \(copies); allowed: 1 to 1000000")
            }
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

    /// `peo bench agents`
    struct Agents: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Environment steps per second of agents as they act and learn.")

        @Argument(help: "The case; all unless given.")
        var name: String?

        @Option(help: "Environment steps that are timed; as many as take some seconds unless told.")
        var steps: Int?

        @Option(help: "Threads; 1 for cartpole-ppo and 2 for pendulum-sac unless told.")
        var threads: Int?

        @Flag(name: .long, help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if let steps, !(1000...1_000_000_000).contains(steps) {
                throw ValidationError("--steps is \(steps); allowed: 1000 to 1000000000")
            }
            if let threads, !(1...1024).contains(threads) {
                throw ValidationError("--threads is \(threads); allowed: 1 to 1024")
            }
            let names = AgentBenchmark.all.map(\.name)
            if let name, !names.contains(name) {
                throw ValidationError(
                    "there is no case '\(name)'; allowed: \(names.joined(separator: ", "))")
            }
        }

        func run() throws {
            Libtorch.keepFreedMemory()
            let rows = try AgentBenchmark.all.filter { name == nil || $0.name == name }
                .map { try AgentBenchmark.run($0, steps: steps, threads: threads) }
            if json { return try Output.writeJSON(["agents": rows]) }
            try Output.write(
                rows.map {
                    "\($0.name), \($0.threads) thread\($0.threads == 1 ? "" : "s"): "
                        + String(
                            format: "%.0f steps/s (%d steps in %.2f s)", $0.stepsPerSecond, $0.steps,
                            $0.seconds)
                }.joined(separator: "\n"))
        }
    }

    private static func cases(_ name: String?) -> [TrainingCase] {
        name.flatMap(TrainingCase.named).map { [$0] } ?? TrainingCase.all
    }

    private static func validate(seconds: Double) throws {
        guard seconds > 0, seconds <= 60 else {
            throw ValidationError("--seconds is \(seconds); allowed: above 0, at most 60")
        }
    }

    private static func validate(seconds: Double, name: String?) throws {
        try validate(seconds: seconds)
        if let name, TrainingCase.named(name) == nil {
            throw ValidationError(
                "there is no case '\(name)'; allowed: "
                    + TrainingCase.all.map(\.name).joined(separator: ", "))
        }
    }
}
