import ArgumentParser
import Experiments
import Foundation
import Safetensors
import Training

/// `peo runs`
struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, show, compare, delete and export runs.",
        discussion: """
            Examples:
              peo runs
              peo runs --data digits --sort accuracy
              peo runs show digits-cnn
              peo runs compare digits-cnn digits-cnn-2
              peo runs export --format csv --output runs.csv
              peo runs delete digits-cnn-2

            The index is runs/index.sqlite in the working directory, or that of the folder PEO_RUNS. It has the runs below
            that folder, and those that peo train has put elsewhere. It only remembers what the run directories say: it may be
            deleted, and what is lost, damaged or old is read again. Cells of comparisons are not in it.
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsCompare.self, RunsDelete.self, RunsExport.self,
            RunsRebuild.self,
        ],
        defaultSubcommand: RunsList.self)

    /// The index, up to date.
    static func index() throws -> RunIndex {
        try RunIndex.upToDate { Output.note("note: \($0)") }
    }
}

/// The options that choose runs.
struct RunChoice: ParsableArguments {
    @Option(help: "Only runs on this data set, or kind of data: digits, csv.")
    var data: String?

    @Option(help: "Only runs of this kind of model: cnn.")
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Only runs that stand so: \(RunRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "status"))
    var status: String?

    @Option(
        help: ArgumentHelp(
            "Order by a metric (accuracy, loss, validation.loss…), best first, or by started, run, name, data, model, seed, "
                + "steps, trainingSeconds (default: newest first).", valueName: "key"))
    var sort: String?

    @Flag(help: "The other way round.")
    var reverse = false

    /// The runs asked for, with their paths as a user would write them.
    func runs() throws -> [RunRecord] {
        var query = RunQuery()
        query.data = data
        query.model = model
        query.sort = sort
        query.isReversed = reverse
        if let status {
            guard let known = RunRecord.Status(rawValue: status) else {
                let allowed = RunRecord.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError(message: "--status: there is no '\(status)' (allowed: \(allowed))")
            }
            query.status = known
        }
        let index = try Runs.index()
        do {
            return try query.apply(to: try index.records()).map { record in
                var record = record
                record.run = index.shown(record.run)
                return record
            }
        } catch let error as UnknownSortKey {
            throw UsageError(message: error.description)
        }
    }
}

/// `peo runs list`
struct RunsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs: what they trained, how they stand, what they reached.")

    @OptionGroup var choice: RunChoice

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() throws {
        let records = try choice.runs()
        if json { return try Output.writeJSON(["runs": records]) }
        guard !records.isEmpty else { return Output.note("no runs") }
        try Output.write(RunTable.text(records, metric: choice.sort))
    }
}

/// `peo runs compare`
struct RunsCompare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Put runs side by side: the settings and numbers that differ.",
        discussion: "Whether a difference means anything, peo compare says, which trains over seeds.")

    @Argument(help: ArgumentHelp("Two or more runs.", valueName: "run"))
    var runs: [String]

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if runs.count < 2 { throw ValidationError("peo runs compare needs two runs at least") }
    }

    func run() throws {
        let index = try Runs.index()
        let records = try runs.map { name in
            var record = try index.find(name)
            record.run = index.shown(record.run)
            return record
        }
        let differences = RunDifferences(records)
        try json ? Output.writeJSON(differences) : Output.write(differences.text)
    }
}

/// `peo runs export`
struct RunsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all that is known of runs as CSV or JSON.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, json }

    @OptionGroup var choice: RunChoice

    @Option(help: "csv or json.")
    var format: Format = .csv

    @Flag(name: .long, help: "The same as --format json.")
    var json = false

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to (default: standard output).", valueName: "file"))
    var output: String?

    func run() throws {
        let records = try choice.runs()
        let text =
            json || format == .json
            ? try Output.json(["runs": records]) : RunTable.csv(records)
        guard let output else {
            return try Output.write(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
        try AtomicFile.write(Data(text.utf8), to: URL(fileURLWithPath: output))
    }
}

/// `peo runs rebuild`
struct RunsRebuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Make the index anew from the run directories.",
        discussion: """
            peo runs notices a lost, damaged or old index by itself. This also forgets runs whose directories are gone, and looks
            for runs in further folders.
            """)

    @Argument(help: ArgumentHelp("Further folders with runs.", valueName: "folder"))
    var folders: [String] = []

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() throws {
        let further = folders.map { URL(fileURLWithPath: $0) }
        for folder in further where !FileManager.default.fileExists(atPath: folder.path) {
            throw FileError(
                path: folder.relativePath, operation: .open, reason: .missing, detail: "no folder is there")
        }
        let count = try RunIndex.rebuilt(further: further).records().count
        if json { return try Output.writeJSON(["runs": count]) }
        try Output.write("\(count) \(count == 1 ? "run" : "runs") in the index")
    }
}
