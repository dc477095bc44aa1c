import ArgumentParser
import Experiments
import Foundation
import Safetensors
import Training

/// `peo runs show`
struct RunsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run: how it stands, its result, its sessions, its configuration.")

    @Argument(help: ArgumentHelp("The run: its path, or its name below runs/.", valueName: "run"))
    var name: String

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    /// What `--json` prints.
    private struct Report: Encodable {
        var run: RunRecord
        var information: RunInformation?
        var result: (any RunResult)?

        private enum CodingKeys: String, CodingKey { case run, information, result }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(run, forKey: .run)
            try container.encodeIfPresent(information, forKey: .information)
            if let result { try result.encode(to: container.superEncoder(forKey: .result)) }
        }
    }

    func run() throws {
        let index = try Runs.index()
        var record = try index.find(name)
        let directory = index.url(of: record.run)
        record.run = index.shown(record.run)
        let information = try? RunInformation(contentsOf: directory.appendingPathComponent("run.json"))
        let result = try? RunResults.read(directory.appendingPathComponent("result.json"))
        if json {
            return try Output.writeJSON(Report(run: record, information: information, result: result))
        }
        var parts = [Self.heading(record)]
        if let result { parts.append(TrainReportText.text(result, run: record.run)) }
        if let information { parts.append(Self.sessions(information)) }
        if let config = try? MappedFile.contents(of: directory.appendingPathComponent("config.yaml")) {
            parts.append(String(decoding: config, as: UTF8.self).trimmingCharacters(in: .newlines))
        }
        try Output.write(parts.joined(separator: "\n\n"))
    }

    private static func heading(_ record: RunRecord) -> String {
        "\(record.run): \(record.status.rawValue)" + (record.message.map { "\n\($0)" } ?? "")
    }

    private static func sessions(_ information: RunInformation) -> String {
        let lines = information.sessions.map { session in
            "\(session.started)  steps \(session.fromStep) to \(session.toStep)  "
                + "\(clockText(session.trainingSeconds)) of training  "
                + (session.end.map(\.rawValue) ?? "no end noted")
        }
        let facts =
            "peo \(information.peo), libtorch \(information.libtorch), \(information.threads) threads, "
            + "\(information.processor), \(information.system)"
        return ([facts, "command: \(information.command.joined(separator: " "))"] + lines)
            .joined(separator: "\n")
    }
}
