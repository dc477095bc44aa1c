import ArgumentParser
import Experiments
import Foundation
import Torch
import Training

/// What `peo train` and `peo sample` are both told: which run, its settings, where it goes and what is printed.
struct RunOptions: ParsableArguments {
    @Argument(
        help: "The configuration, a YAML file. With --resume, the run's own.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "Override a setting, for example data=digits. May be repeated.", valueName: "key=value"))
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

    /// The settings of `--set`.
    func overrides() throws -> [ConfigOverride] { try set.map(ConfigOverride.init(parsing:)) }

    /// The name of a new run of a configuration, where nothing else names it.
    func name(of config: String) -> String {
        URL(fileURLWithPath: config).deletingPathExtension().lastPathComponent
    }

    /// Says something beside the result, unless only JSON is wanted.
    func note(_ text: String) { if !json { Output.note(text) } }

    /// Shows a new run on the terminal.
    func reporter() -> ProgressReporter { ProgressReporter(isQuiet: json) }

    /// Shows a run that goes on, and says from where.
    func reporter(resuming run: String, at step: Int) -> ProgressReporter {
        note("resuming \(run) at step \(step)")
        return ProgressReporter(startingAt: step, isQuiet: json)
    }

    /// Does the work of a run, which is in the index from its beginning to its end.
    func index(_ prepared: PreparedRun, while work: (URL) throws -> Void) throws {
        for warning in prepared.warnings { note("warning: \(warning)") }
        let directory = prepared.directory.url
        if prepared.isFinished { note("\(directory.shownPath) was finished before") }
        let isQuiet = json
        let entry =
            noIndex ? nil : RunEntry(of: directory) { if !isQuiet { Output.note("warning: \($0)") } }
        entry?.update()
        defer {
            entry?.update()
            entry?.finish()
        }
        try work(directory)
    }

    /// Prints the result of a run.
    func report(_ result: some RunResult, _ directory: URL) throws {
        if json { return try Output.writeJSON(TrainReport(run: directory.shownPath, result: result)) }
        try Output.write(TrainReportText.text(result, run: directory.shownPath))
    }
}
