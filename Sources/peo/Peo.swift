import ArgumentParser
import Experiments
import Foundation

/// The command-line tool: parses arguments, calls the library, and turns errors into messages and exit codes.
@main
struct Peo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peo",
        abstract: "Train models with perturbed updates: θ(t+1) = θ(t) − η(t)·D(clip(g(t)) + δ(t)).",
        discussion: """
            Results go to standard output, progress to standard error. With --json, standard output is one JSON
            object and nothing else, also for errors.

            Exit codes: 0 done; 1 a reproduction does not meet its criteria; 64 wrong usage; 65 bad configuration or
            data; 66 missing input; 70 internal error; 71 not enough memory; 73 cannot create and 74 cannot write a file;
            75 stopped by the stability controller or interrupted, with a checkpoint to resume from.
            """,
        version: Experiment.version,
        subcommands: [
            Train.self, SampleCommand.self, Generate.self, Compare.self, Tune.self, Evaluate.self,
            Reproduce.self, Report.self,
            Runs.self,
            List.self, DataCommand.self, Trace.self, Noise.self, Picture.self, Bench.self,
        ])

    static func main() {
        // A reader that goes away (peo list | head) is no reason to kill a training run half-way.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            ErrorPresenter.exit(with: error)
        }
    }
}
