import ArgumentParser
import Datasets
import Experiments
import Foundation
import PerturbedEquations
import Training

/// `peo reproduce`
struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a published experiment again, and judge it by stated criteria.",
        discussion: """
            Examples:
              peo reproduce                     the experiments, what each is to show and about how long it takes
              peo reproduce label-noise
              peo reproduce deep-mnist --quick  small: whether everything works
              peo reproduce --all

            What was published stands beside what this run measured, and so do negative controls: where the method does not
            help. The report is reproductions/<id>/reproduction.json (reproductions/quick/<id> with --quick). An experiment
            that was interrupted or killed goes on with the same command, without the runs that are done.

            Exit codes: 0 every criterion is met; 1 one is not; 66 data are missing (with --all the other experiments still
            run, and 1 comes first).
            """)

    @Argument(help: "The experiment; all are listed without one.")
    var id: String?

    @Flag(name: .long, help: "Run every experiment, one after the other.")
    var all = false

    @Flag(name: .long, help: "Run it small, in seconds, with criteria to fit.")
    var quick = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where reproductions are kept (default: reproductions).", valueName: "directory"))
    var output: String?

    @Flag(name: .long, help: "Print one JSON object, and no progress.")
    var json = false

    /// The exit code where a criterion is not met.
    static let notReproduced: Int32 = 1

    func validate() throws {
        if all, id != nil { throw ValidationError("give an <id>, or --all") }
        if id == nil, !all, quick || output != nil {
            throw ValidationError("Missing expected argument '<id>' (or --all)")
        }
    }

    func run() throws {
        Interruption.listen()
        if let id {
            let report = try report(of: Self.reproduction(named: id))
            try json ? Output.writeJSON(report) : Output.write(report.text)
            if !report.passed { throw ExitCode(Self.notReproduced) }
        } else if all {
            try runAll()
        } else {
            try list()
        }
    }

    private static func reproduction(named id: String) throws -> any Reproduction {
        if let found = ReproductionCatalogue.reproduction(named: id) { return found }
        let names = ReproductionCatalogue.all.map(\.id)
        let hint = nearestName(to: id, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError(
            message: "there is no experiment '\(id)'\(hint) (allowed: \(names.joined(separator: ", ")))")
    }

    private func report(of reproduction: any Reproduction) throws -> ReproductionReport {
        let run = ReproductionRun(reproduction, quick ? .quick : .full, in: output)
        let report = try run.run(program: try Compare.program()) { note("\(reproduction.id): \($0)") }
        note("\(reproduction.id): the report is \(run.report.relativePath)")
        return report
    }

    /// Says something beside the result, unless only JSON is wanted.
    private func note(_ text: String) { if !json { Output.note(text) } }

    // MARK: All

    /// An experiment that could not run.
    private struct NotRun: Encodable {
        var id: String
        var reason: String
    }

    /// What `--all --json` prints.
    private struct Everything: Encodable {
        var reports: [ReproductionReport]
        var notRun: [NotRun]
    }

    private func runAll() throws {
        var everything = Everything(reports: [], notRun: [])
        for reproduction in ReproductionCatalogue.all {
            do {
                let report = try report(of: reproduction)
                if !json { try Output.write(report.text + "\n") }
                everything.reports.append(report)
            } catch let error as DatasetError where error.isMissingInput {
                note("\(reproduction.id): not run: data missing: \(error.message)")
                everything.notRun.append(NotRun(id: reproduction.id, reason: error.message))
            }
        }
        try json ? Output.writeJSON(everything) : Output.write(Self.summary(everything))
        if everything.reports.contains(where: { !$0.passed }) { throw ExitCode(Self.notReproduced) }
        if !everything.notRun.isEmpty { throw ExitCode(66) }
    }

    private static func summary(_ everything: Everything) -> String {
        var lines: [String] = []
        for report in everything.reports {
            let kept = report.checks.count(where: \.passed)
            lines.append(
                report.id.padded(18) + (report.passed ? "reproduced" : "NOT reproduced").padded(16)
                    + "\(kept) of \(report.checks.count) criteria".padded(20)
                    + ReproductionReport.duration(report.elapsedSeconds))
        }
        lines += everything.notRun.map { $0.id.padded(18) + "not run: data missing" }
        return lines.joined(separator: "\n")
    }

    // MARK: List

    /// A line of the list.
    private struct Entry: Encodable {
        var id: String
        var title: String
        var claim: String
        var source: String
        /// About how long it takes on two cores, in seconds.
        var seconds: Double
        var quickSeconds: Double
        /// Published data that it needs.
        var data: [String]

        init(_ reproduction: any Reproduction) {
            id = reproduction.id
            title = reproduction.title
            claim = reproduction.claim
            source = reproduction.source
            seconds = reproduction.seconds(.full)
            quickSeconds = reproduction.seconds(.quick)
            data = reproduction.data(.full)
        }
    }

    private func list() throws {
        let entries = ReproductionCatalogue.all.map(Entry.init)
        if json {
            try Output.writeJSON(entries)
            return
        }
        let lines = entries.map { entry in
            """
            \(entry.id)  (about \(ReproductionReport.duration(entry.seconds)); quick: \
            \(ReproductionReport.duration(entry.quickSeconds)))
                \(entry.claim)
                \(entry.source)\(entry.data.isEmpty ? "" : "; needs \(entry.data.joined(separator: ", "))")
            """
        }
        try Output.write(
            lines.joined(separator: "\n") + "\n\npeo reproduce <id>, or --all; --quick for small runs")
    }
}
