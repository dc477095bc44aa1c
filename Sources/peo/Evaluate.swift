import ArgumentParser
import Datasets
import Experiments
import Foundation
import Training

/// `peo evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure runs: quality and calibration, robustness, flatness, posteriors.",
        discussion: """
            Examples:
              peo evaluate runs/digits-cnn
              peo evaluate runs/sgd runs/sam --only quality,flatness
              peo evaluate runs/digits-cnn --only robustness --epsilon 0.03,0.1 --noise 0.5
              peo evaluate runs/digits-cnn --weights best --split validation --json
              peo evaluate runs/mnist-posterior --ood fashion-mnist
              peo evaluate runs/seed-1 runs/seed-2 runs/seed-3 --ensemble
              peo evaluate runs/digits-dropout --dropout 50
              peo evaluate runs/cartpole-ppo --episodes 100 --render cartpole.gif

            quality: accuracy, loss, expected calibration error, Brier score.
            robustness: FGSM and PGD, five kinds of damage at five severities, wrong labels.
            flatness: the Hessian's top eigenvalue and trace, sharpness, slices of the loss.
            posterior: of sampled runs, ensembles and dropout the mean prediction's uncertainty, aleatoric and \
            epistemic, temperature, credible intervals.

            agents: returns and lengths of episodes without exploration; with --render, a picture of one.

            Each run gets an evaluation.json. ε and σ are shares of the way from the darkest to the brightest \
            pixel, also where the data set standardises them; for other data they are in the inputs' own \
            numbers. docs/evaluate.md has the rest.
            """)

    @Argument(help: "Runs; several are printed side by side.", completion: .directory)
    var runs: [String]

    @Option(
        help:
            "Parts, separated by commas: quality, robustness, flatness, posterior (default: all that apply but posterior)."
    )
    var only: String?

    @Option(help: "final, best or latest (default: final where the run is finished, else latest).")
    var weights: String?

    @OptionGroup(title: "Posteriors") var posterior: PosteriorOptions

    @Option(
        help: "The data that quality, robustness and posterior are measured on: test, validation or train.")
    var split = EvaluatedSplit.test.rawValue

    @OptionGroup(title: "Robustness and flatness") var measures: MeasureOptions

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
        try require("--episodes", episodes, in: 1...1_000_000)
        if let render {
            try require(render.hasSuffix(".gif"), "--render", "'\(render)'", "the name of a .gif file")
            try require(runs.count == 1, "--render", "given with \(runs.count) runs", "with one")
        }
    }

    func run() throws {
        Interruption.listen()
        if runs.contains(where: { AgentRunEvaluation.isAgent(URL(fileURLWithPath: $0)) }) {
            for (option, isGiven) in [
                ("--only", only != nil), ("--weights", weights != nil),
                ("--split", split != EvaluatedSplit.test.rawValue),
            ] + posterior.given.map({ ($0, true) }) where isGiven {
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
        let sampled = runs.filter { PosteriorEvaluation.isSampled(URL(fileURLWithPath: $0)) }
        let parts = try posterior.parts(
            parts(), of: runs, sampled: sampled, weights: weights != nil)
        if let parts, parts.contains(.posterior) { try measures.refuse(unlessOf: parts) }
        let outside = try posterior.ood.map { try DatasetCatalogue.load($0) }
        if posterior.ensemble {
            let evaluation = try PosteriorEvaluation(
                ensemble: runs.map { URL(fileURLWithPath: $0) }, weights: chosenWeights(),
                split: chosenSplit(),
                seed: seed)
            return try write([reported(evaluation, outside)])
        }
        var reports: [EvaluationReport] = []
        // One that cannot be evaluated is found before anything is written. Not kept: each holds its data.
        if runs.count > 1 { for run in runs { _ = try measured(run) } }
        for run in runs {
            if !json, runs.count > 1 { Output.note(run) }
            var report =
                switch try measured(run) {
                case .posterior(let evaluation): try reported(evaluation, outside)
                case .weights(let evaluation): try reported(evaluation, parts, outside)
                }
            report.run = run
            try report.write(to: URL(fileURLWithPath: run))
            reports.append(report)
        }
        try write(reports)
    }

    private enum Measured {
        case weights(RunEvaluation)
        case posterior(PosteriorEvaluation)
    }

    private func measured(_ run: String) throws -> Measured {
        if let found = try posterior.evaluation(
            run, weights: chosenWeights(), split: chosenSplit(), seed: seed)
        {
            return .posterior(found)
        }
        return .weights(
            try RunEvaluation(
                run: URL(fileURLWithPath: run), weights: chosenWeights(), split: chosenSplit(), seed: seed))
    }

    private func reported(_ evaluation: PosteriorEvaluation, _ outside: Dataset?) throws -> EvaluationReport {
        for warning in evaluation.warnings { Output.note("warning: \(warning)") }
        evaluation.say = say
        return try evaluation.report(outside: outside)
    }

    private func reported(_ evaluation: RunEvaluation, _ parts: [EvaluationPart]?, _ outside: Dataset?) throws
        -> EvaluationReport
    {
        for warning in evaluation.warnings { Output.note("warning: \(warning)") }
        evaluation.say = say
        return try evaluation.report(
            parts, robustness: measures.robustness(), flatness: measures.flatness(), outside: outside)
    }

    private func say(_ text: String) { if !json { Output.note(text) } }

    private func write(_ reports: [EvaluationReport]) throws {
        try json
            ? Output.writeJSON(Evaluations(evaluations: reports))
            : Output.write(EvaluationReport.text(reports))
    }

    private func chosenWeights() throws -> RunWeights? { try one(of: RunWeights.self, "--weights", weights) }

    private func chosenSplit() throws -> EvaluatedSplit {
        try one(of: EvaluatedSplit.self, "--split", split) ?? .test
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
}
