import ArgumentParser
import Experiments

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

    static func cases(_ name: String?) -> [TrainingCase] {
        name.flatMap(TrainingCase.named).map { [$0] } ?? TrainingCase.all
    }

    static func requireSeconds(_ seconds: Double) throws {
        try require(seconds > 0 && seconds <= 60, "--seconds", seconds, "above 0, at most 60")
    }

    static func requireCase(_ name: String?, of names: [String]) throws {
        guard let name, !names.contains(name) else { return }
        throw ValidationError("there is no case '\(name)'; allowed: \(names.joined(separator: ", "))")
    }
}
