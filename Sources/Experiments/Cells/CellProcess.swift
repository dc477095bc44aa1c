import Foundation
import Safetensors
import Training

/// A cell at work, in a process of its own: what it does to its memory, or how it dies, is its own affair.
final class CellProcess {
    let cell: Cell
    private let process = Process()
    private let leash = Pipe()
    private let output: URL
    private(set) var peakBytes = 0

    /// Starts `peo train`, or goes on with the cell's run where it has begun.
    ///
    /// The process ends when this one does, however that ends: it saves and stops when its standard input closes.
    init(_ cell: Cell, program: URL) throws {
        self.cell = cell
        output = cell.directory.appendingPathExtension("out")
        let hasBegun = FileManager.default.fileExists(atPath: cell.directory.path)
        process.executableURL = program
        process.arguments =
            (hasBegun
                ? ["train", "--resume", cell.directory.path]
                : [
                    "train", cell.config.path, "--output", cell.directory.path, "--set",
                    "training.seed=\(cell.seed)", "--exact-output",
                ])
            + (cell.pause.map { ["--pause-at", "\($0.share)"] } ?? [])
            + ["--json", "--stop-with-input", "--no-index"]
        // Cells share the cores: threads that wait by spinning would take them from each other.
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_WAIT_POLICY": "passive"]) {
            $1
        }
        process.standardInput = leash
        try AtomicFile.write(Data(), to: output)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool {
        if process.isRunning { peakBytes = max(peakBytes, Self.peak(of: process.processIdentifier)) }
        return process.isRunning
    }

    /// Asks the cell to save and stop.
    func interrupt() { process.interrupt() }

    /// What the process left behind.
    enum End {
        case outcome(CellOutcome)
        /// It was asked to stop, and has saved.
        case interrupted
        /// Another process works on the run: one whose parent has just died, for example. It may have begun the run after
        /// this one looked for it.
        case busy
    }

    /// How the process ended, once it is not running any more.
    func end() throws -> End {
        process.waitUntilExit()
        try? leash.fileHandleForWriting.close()
        defer { try? FileManager.default.removeItem(at: output) }
        let said = (try? Data(contentsOf: output)) ?? Data()
        let peak = peakBytes > 0 ? peakBytes : nil
        if process.terminationReason == .uncaughtSignal {
            return .outcome(
                CellOutcome(
                    status: .failed, metrics: [:],
                    message: "the process was ended by signal \(process.terminationStatus)", peakBytes: peak))
        }
        if process.terminationStatus == 0 {
            if let waiting = try? JSON.decoder().decode(Waiting.self, from: said).pause {
                return .outcome(
                    CellOutcome(status: .paused, metrics: waiting.metrics, message: nil, peakBytes: peak))
            }
            let result = try RunResults.read(cell.directory.appendingPathComponent("result.json"))
            return .outcome(CellOutcome(of: result, peakBytes: peak))
        }
        let error = (try? JSONDecoder().decode(Refusal.self, from: said))?.error
        switch error?.code {
        case TrainingStopped.Code.interrupted.rawValue: return .interrupted
        case "file.inUse": return .busy
        default:
            return .outcome(
                CellOutcome(
                    status: process.terminationStatus == 75 ? .diverged : .failed, metrics: [:],
                    message: error?.message
                        ?? "the process ended with exit code \(process.terminationStatus)",
                    peakBytes: peak))
        }
    }

    /// What `peo train --json` prints of a run that waits.
    private struct Waiting: Decodable {
        var pause: PausedRun
    }

    /// What `peo --json` prints for an error.
    private struct Refusal: Decodable {
        struct Details: Decodable {
            var code: String
            var message: String
        }
        var error: Details
    }

    private static func peak(of process: pid_t) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(separator: " ").compactMap({ Int($0) }).first
        else { return 0 }
        return kilobytes * 1024
    }
}
