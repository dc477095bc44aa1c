import ArgumentParser
import Experiments
import Foundation
import Training

/// `peo evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure runs: quality and calibration, robustness, flatness.",
        discussion: """
            Examples:
              peo evaluate runs/digits-cnn
              peo evaluate runs/sgd runs/sam --only quality,flatness
              peo evaluate runs/digits-cnn --only robustness --epsilon 0.03,0.1 --noise 0.5
              peo evaluate runs/digits-cnn --weights best --split validation --json
              peo evaluate runs/cartpole-ppo --episodes 100 --render cartpole.gif

            quality: accuracy, loss, expected calibration error, Brier score.
            robustness: FGSM and PGD, five kinds of damage at five severities, wrong labels.
            flatness: the Hessian's top eigenvalue and trace, sharpness, slices of the loss.

            agents: returns and lengths of episodes without exploration; with --render, a picture of one.

            Each run gets an evaluation.json. ε and σ are shares of the way from the darkest to the brightest \
            pixel, also where the data set standardises them; for other data they are in the inputs' own \
            numbers. docs/evaluate.md has the rest.
            """)

    @Argument(help: "Runs; several are printed side by side.", completion: .directory)
    var runs: [String]

    @Option(help: "Parts, separated by commas: quality, robustness, flatness (default: all that apply).")
    var only: String?

    @Option(help: "final, best or latest (default: final where the run is finished, else latest).")
    var weights: String?

    @Option(help: "The data that quality and robustness are measured on: test, validation or train.")
    var split = EvaluatedSplit.test.rawValue

    @Option(help: "Radii of FGSM and PGD, separated by commas; none: no attacks.")
    var epsilon = "0.01,0.03,0.1"

    @Option(help: "Steps of PGD; 0: FGSM alone.")
    var pgdSteps = 20

    @Option(help: "How many examples are attacked.")
    var attacked = 1000

    @Option(
        help:
            "Deviations of Gaussian noise on the inputs, separated by commas; none: no noise beside the damage."
    )
    var noise = "none"

    @Option(help: "How many training examples flatness is measured on (default: 1024, of sequences 64).")
    var examples: Int?

    @Option(help: "Random probes of the Hessian's trace.")
    var probes = 20

    @Option(help: "Products with the Hessian that power iteration takes at most.")
    var iterations = 100

    @Option(help: "Where power iteration ends: its residual as a share of the eigenvalue.")
    var tolerance = 0.01

    @Option(help: "Radii of the sharpness, separated by commas; none: no sharpness.")
    var rho = "0.05,0.1,0.5"

    @Option(help: "Gradients of one sharpness.")
    var ascentSteps = 10

    @Option(help: "Points of a slice of the loss, odd; 0: no slices.")
    var slice = 21

    @Option(help: "Points along each side of the grid of losses, odd; 0: no grid.")
    var grid = 11

    @Option(help: "How far slices and grid reach: at 1 weights and move are of one size.")
    var span = 1.0

    @Option(help: "Episodes of an agent (default: 20).")
    var episodes: Int?

    @Option(help: ArgumentHelp("Draw an episode of an agent as an animated GIF.", valueName: "file.gif"))
    var render: String?

    @Option(help: "Of everything that is drawn: examples, noise, directions, episodes.")
    var seed: UInt64 = 1

    @Flag(name: .long, help: "Print one JSON object, {\"evaluations\": […]}, and no progress.")
    var json = false

    func validate() throws {
        _ = try parts()
        _ = try one(of: RunWeights.self, "--weights", weights)
        _ = try one(of: EvaluatedSplit.self, "--split", split)
        _ = try robustness()
        _ = try flatness()
        try require((1...1_000_000).contains(episodes ?? 1), "--episodes", episodes ?? 1, "1 to 1000000")
        if let render {
            try require(render.hasSuffix(".gif"), "--render", "'\(render)'", "the name of a .gif file")
            try require(runs.count == 1, "--render", "given with \(runs.count) runs", "with one")
        }
    }

    func run() throws {
        Interruption.listen()
        let isQuiet = json
        if runs.contains(where: { AgentRunEvaluation.isAgent(URL(fileURLWithPath: $0)) }) {
            for (option, isGiven) in [
                ("--only", only != nil), ("--weights", weights != nil),
                ("--split", split != EvaluatedSplit.test.rawValue),
            ] where isGiven {
                throw UsageError(message: "\(option) is for models, and \(runs[0]) is the run of an agent")
            }
            return try EvaluateAgents(
                runs: runs, episodes: episodes ?? 20, render: render, seed: seed, isJSON: json
            ).run()
        }
        for (option, isGiven) in [("--episodes", episodes != nil), ("--render", render != nil)] where isGiven
        {
            throw UsageError(message: "\(option) is for agents, and \(runs[0]) is the run of a model")
        }
        var reports: [EvaluationReport] = []
        // One that cannot be evaluated is found before anything is written. Not kept: each holds its data.
        if runs.count > 1 { for run in runs { _ = try evaluation(of: run) } }
        for run in runs {
            let url = URL(fileURLWithPath: run)
            if !isQuiet, runs.count > 1 { Output.note(run) }
            let evaluation = try evaluation(of: run)
            for warning in evaluation.warnings { Output.note("warning: \(warning)") }
            evaluation.say = { if !isQuiet { Output.note($0) } }
            var report = try evaluation.report(
                parts(), robustness: robustness(), flatness: flatness())
            report.run = run
            try report.write(to: url)
            reports.append(report)
        }
        try json
            ? Output.writeJSON(Evaluations(evaluations: reports))
            : Output.write(EvaluationReport.text(reports))
    }

    private func evaluation(of run: String) throws -> RunEvaluation {
        try RunEvaluation(
            run: URL(fileURLWithPath: run), weights: one(of: RunWeights.self, "--weights", weights),
            split: one(of: EvaluatedSplit.self, "--split", split) ?? .test, seed: seed)
    }

    private struct Evaluations: Encodable { let evaluations: [EvaluationReport] }

    // MARK: Arguments

    private func one<Choice: RawRepresentable<String> & CaseIterable>(
        of type: Choice.Type, _ option: String, _ name: String?
    ) throws -> Choice? {
        guard let name else { return nil }
        guard let choice = Choice(rawValue: name) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\(option) is '\(name)'; allowed: \(names)")
        }
        return choice
    }

    private func parts() throws -> [EvaluationPart]? {
        guard let only else { return nil }
        let named = try Set(
            only.split(separator: ",", omittingEmptySubsequences: false).map {
                try one(of: EvaluationPart.self, "--only", $0.trimmingCharacters(in: .whitespaces))
            })
        return EvaluationPart.allCases.filter(named.contains)
    }

    private func numbers(_ option: String, _ text: String, _ allowed: String, _ isAllowed: (Double) -> Bool)
        throws
        -> [Double]
    {
        guard text != "none" else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            guard let value = Double(item.trimmingCharacters(in: .whitespaces)), value.isFinite,
                isAllowed(value)
            else {
                throw ValidationError("\(option) has '\(item)'; allowed: numbers \(allowed), or none")
            }
            return value
        }
    }

    private func require(_ condition: Bool, _ option: String, _ value: some Any, _ allowed: String) throws {
        guard condition else { throw ValidationError("\(option) is \(value); allowed: \(allowed)") }
    }

    private func robustness() throws -> RobustnessSettings {
        var settings = RobustnessSettings()
        settings.epsilons = try numbers("--epsilon", epsilon, "≥ 0") { $0 >= 0 }
        settings.noise = try numbers("--noise", noise, "≥ 0") { $0 >= 0 }
        try require((0...10_000).contains(pgdSteps), "--pgd-steps", pgdSteps, "0 to 10000")
        settings.pgdSteps = pgdSteps == 0 ? nil : pgdSteps
        try require(attacked >= 1, "--attacked", attacked, "1 or more")
        settings.attacked = attacked
        return settings
    }

    private func flatness() throws -> FlatnessSettings {
        var settings = FlatnessSettings()
        settings.rhos = try numbers("--rho", rho, "> 0") { $0 > 0 }
        for (option, value) in [
            ("--examples", examples ?? 1), ("--probes", probes), ("--iterations", iterations),
            ("--ascent-steps", ascentSteps),
        ] { try require(value >= 1, option, value, "1 or more") }
        try require(tolerance > 0 && tolerance < 1, "--tolerance", tolerance, "more than 0, less than 1")
        try require(span > 0 && span.isFinite, "--span", span, "more than 0")
        for (option, value) in [("--slice", slice), ("--grid", grid)] {
            try require(
                value == 0 || value >= 3 && value <= 1001 && value % 2 == 1, option, value,
                "0, or an odd number from 3 to 1001")
        }
        settings.examples = examples
        settings.probes = probes
        settings.iterations = iterations
        settings.ascentSteps = ascentSteps
        settings.tolerance = tolerance
        settings.slicePoints = slice
        settings.gridPoints = grid
        settings.span = span
        return settings
    }
}
