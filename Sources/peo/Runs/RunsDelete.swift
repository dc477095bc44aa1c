import ArgumentParser
import Experiments
import Foundation
import Safetensors
import Training

/// `peo runs delete`
struct RunsDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete runs, with everything in their directories.",
        discussion: """
            Asks first. A run that a process works on is refused. Links in a run are deleted, what they point to is not.
            """)

    @Argument(help: ArgumentHelp("The runs: paths, or names below runs/.", valueName: "run"))
    var runs: [String]

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    @Flag(name: .long, help: "Print one JSON object; needs --yes.")
    var json = false

    func validate() throws {
        if runs.isEmpty { throw ValidationError("Missing expected argument '<run> ...'") }
        if json, !yes { throw ValidationError("--json needs --yes: it asks nothing") }
    }

    func run() throws {
        let index = try Runs.index()
        // All are looked at before the first one goes.
        let targets = try runs.map { try target($0, index) }
        for target in targets where target.url.map(RunDirectory.isInUse) ?? false {
            throw FileError(
                path: target.shown, operation: .remove, reason: .inUse,
                detail: "a process works on this run; stop it first (Ctrl-C saves)")
        }
        guard try yes || isConfirmed(targets) else { return Output.note("nothing was deleted") }
        var deleted: [String] = []
        for target in targets {
            if let url = target.url { try RunDirectory.remove(url) }
            try index.forget(target.run)
            deleted.append(target.shown)
        }
        if json { return try Output.writeJSON(["deleted": deleted]) }
        try Output.write(deleted.map { "deleted \($0)" }.joined(separator: "\n"))
    }

    private struct Target {
        var run: String
        var shown: String
        /// Nil for a run whose directory is gone.
        var url: URL?
    }

    private func target(_ name: String, _ index: RunIndex) throws -> Target {
        let record = try index.find(name)
        let places = [URL(fileURLWithPath: name), index.folder.appendingPathComponent(name)]
        // As the user names it: a link is refused, not followed.
        let url = record.status == .missing ? nil : places.first(where: RunDirectory.isRun)
        return Target(run: record.run, shown: index.shown(record.run), url: url)
    }

    private func isConfirmed(_ targets: [Target]) throws -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            throw UsageError(
                message: "peo runs delete asks on a terminal, and this is none; --yes deletes without asking")
        }
        for target in targets {
            Output.note(
                "\(target.shown)\(target.url.map { ": \(Self.size(of: $0))" } ?? ": its directory is gone")")
        }
        FileHandle.standardError.write(
            Data("Delete \(targets.count == 1 ? "this run" : "these \(targets.count) runs")? [y/N] ".utf8))
        return ["y", "yes"].contains(readLine()?.trimmingCharacters(in: .whitespaces).lowercased())
    }

    /// `14 files, 3.2 MB`
    private static func size(of url: URL) -> String {
        var (files, bytes) = (0, 0.0)
        let names = FileManager.default.enumerator(atPath: url.path)
        while let name = names?.nextObject() as? String {
            var status = stat()
            guard lstat(url.appendingPathComponent(name).path, &status) == 0,
                status.st_mode & S_IFMT != S_IFDIR
            else { continue }
            files += 1
            bytes += Double(status.st_size)
        }
        return "\(files) files, \(String(format: "%.1f", bytes / 1e6)) MB"
    }
}
