import ArgumentParser
import Experiments
import Foundation
import Torch

extension Bench {
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
            try require("--steps", steps, in: 1000...1_000_000_000)
            try require("--threads", threads, in: 1...1024)
            try Bench.requireCase(name, of: AgentBenchmark.all.map(\.name))
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
}
