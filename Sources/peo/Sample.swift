import ArgumentParser
import BayesianLearning
import Experiments
import Foundation
import Safetensors
import Torch
import Training

/// `peo sample`
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Sample the posterior of a model's weights, or go on with such a run.",
        discussion: """
            Examples:
              peo sample Examples/digits-sghmc.yaml
              peo sample Examples/digits-sghmc.yaml --set sampling.chains=8 --set prior.gaussian.deviation=1
              peo sample --resume runs/digits-sghmc

            The configuration has prior and sampling in the place of training, and a rule that samples (sgld, psgld, sghmc,
            sgnht). Draws stream to the run's samples/, as safetensors; result.json says whether the chains agree (split R̂,
            effective sizes). A run that was killed resumes with the same bits. A step size that explodes stops the run (75);
            the draws so far are kept. peo report RUN shows traces, autocorrelations and marginals.
            """)

    @Argument(
        help: "The configuration, a YAML file. With --resume, the run's own.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "Override a setting, for example sampling.chains=8. May be repeated.", valueName: "key=value"))
    var set: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Go on with a run that was interrupted or killed.", valueName: "run"))
    var resume: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to put the run (default: the configuration's output, or runs/<name>).",
            valueName: "directory"))
    var output: String?

    @Flag(name: .long, help: "Print the result as one JSON object, and no progress.")
    var json = false

    @Flag(name: .long, help: "Leave the run out of the index of runs (peo runs).")
    var noIndex = false

    func validate() throws {
        if config == nil && resume == nil {
            throw ValidationError("Missing expected argument '<config>' (or --resume <run>)")
        }
        if resume != nil, output != nil {
            throw ValidationError("--output is for new runs, not for --resume")
        }
    }

    func run() throws {
        Interruption.listen()
        Libtorch.keepFreedMemory()
        let prepared = try prepare()
        for warning in prepared.warnings { note("warning: \(warning)") }
        if prepared.isFinished { note("\(prepared.directory.url.shownPath) was finished before") }
        let directory = prepared.directory.url
        let isQuiet = json
        let entry =
            noIndex ? nil : RunEntry(of: directory) { if !isQuiet { Output.note("warning: \($0)") } }
        entry?.update()
        defer {
            entry?.update()
            entry?.finish()
        }
        do {
            try report(try prepared.train(), directory)
        } catch let error as TrainingStopped {
            throw Self.explained(error, directory)
        }
    }

    private func prepare() throws -> PreparedRun {
        let overrides = try set.map(ConfigOverride.init(parsing:))
        let terminal = Terminal.detect()
        if let resume {
            let run = URL(fileURLWithPath: resume)
            let own = try RunConfigs.read(run.appendingPathComponent("config.yaml"))
            guard own is SamplingConfig else {
                throw UsageError(
                    message: "\(resume) is a run that trains; go on with: peo train --resume \(resume)")
            }
            let given = try config.map { try samplingConfig($0, overrides) }
            return try Experiment.resume(run, given: given, longer: given == nil ? overrides : []) { step in
                note("resuming \(resume) at step \(step)")
                return ProgressReporter(terminal: terminal, startingAt: step, isQuiet: json)
            }
        }
        guard let config else { throw UsageError(message: "a configuration is needed") }
        let name = URL(fileURLWithPath: config).deletingPathExtension().lastPathComponent
        return try SamplingExperiment(try samplingConfig(config, overrides), name: name).start(output: output)
        {
            ProgressReporter(terminal: terminal, isQuiet: json)
        }
    }

    private func samplingConfig(_ path: String, _ overrides: [ConfigOverride]) throws -> SamplingConfig {
        guard
            let config = try RunConfigs.read(URL(fileURLWithPath: path), overrides: overrides)
                as? SamplingConfig
        else {
            throw ConfigError(
                .badValue,
                "has no 'sampling', and so is to be trained (peo train); allowed: a configuration with model, data, prior, "
                    + "sampling and a rule that samples", file: path)
        }
        return config
    }

    /// Says something beside the result, unless only JSON is wanted.
    private func note(_ text: String) { if !json { Output.note(text) } }

    private func report(_ result: any RunResult, _ directory: URL) throws {
        guard let result = result as? SamplingResult else { preconditionFailure("a posterior is sampled") }
        if json {
            return try Output.writeJSON(TrainReport(run: directory.shownPath, result: result))
        }
        try Output.write(TrainReportText.text(result, run: directory.shownPath))
    }

    /// The error with the way on.
    private static func explained(_ error: TrainingStopped, _ directory: URL) -> TrainingStopped {
        var explained = error
        explained.message +=
            error.code == .interrupted
            ? "\nGo on with: peo sample --resume \(directory.shownPath)"
            : "\nDraws, if there were any, are in \(directory.shownPath)/samples. To sample with another step size, start a new run."
        return explained
    }
}
