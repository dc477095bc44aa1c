import Foundation
import PerturbedEquations
import Safetensors
import Training

/// Runs cells side by side, within the machine's cores and memory, and keeps their outcomes in files.
///
/// A cell that has an outcome is not run again, unless it failed; one that was begun goes on where it was.
final class CellPool {
    private let program: URL
    private let parallel: Int
    /// The most memory that a cell has held so far.
    private var largestPeak = 0

    /// How often a cell whose run is still locked is tried again, once a second.
    private static let patience = 60

    init(program: URL, parallel: Int) {
        self.program = program
        self.parallel = parallel
    }

    /// Runs what is left of `cells`.
    ///
    /// - Parameters:
    ///   - retryingFailed: whether cells that failed in an earlier call are run again.
    ///   - told: each outcome as it comes, and how many of how many there are; what it throws ends the work.
    /// - Returns: the outcomes, in the cells' order.
    /// - Throws: as ``work(next:ended:)``, and what `told` throws.
    func run(
        _ cells: [Cell], retryingFailed: Bool = true,
        told: (Cell, CellOutcome, _ done: Int, _ of: Int) throws -> Void = { _, _, _, _ in }
    ) throws -> [CellOutcome] {
        var outcomes = try cells.map { try Self.outcome(of: $0, retryingFailed: retryingFailed) }
        var waiting = outcomes.indices.filter { outcomes[$0] == nil }
        let numbers = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($1.outcome.path, $0) })
        try work {
            waiting.isEmpty ? nil : cells[waiting.removeFirst()]
        } ended: { cell, outcome in
            outcomes[numbers[cell.outcome.path]!] = outcome
            try told(cell, outcome, outcomes.count { $0 != nil }, cells.count)
        }
        return outcomes.map { $0! }
    }

    /// Runs cells, until there is none to run and none at work.
    ///
    /// - Parameters:
    ///   - next: another cell, or nil if there is none for now; asked for wherever there is room.
    ///   - ended: is told each outcome, which is in its file by then.
    /// - Throws: `TrainingStopped` when interrupted, with everything saved; `FileError`.
    func work(next: () throws -> Cell?, ended: (Cell, CellOutcome) throws -> Void) throws {
        var attempts: [String: Int] = [:]
        var again: [Cell] = []
        var working: [CellProcess] = []
        var done = 0
        var isStopping = false
        defer { for process in working { process.interrupt() } }
        while true {
            if Interruption.isRequested, !isStopping {
                isStopping = true
                for process in working { process.interrupt() }
            }
            while !isStopping, hasRoom(beside: working.count),
                let cell = try again.isEmpty ? next() : again.removeFirst()
            {
                try makeParent(of: cell)
                working.append(try CellProcess(cell, program: program))
            }
            if working.isEmpty { break }
            for process in working where !process.isRunning {
                let cell = process.cell
                largestPeak = max(largestPeak, process.peakBytes)
                working.removeAll { $0 === process }
                switch try process.end() {
                case .outcome(let outcome):
                    done += 1
                    try AtomicFile.write(try JSON.encoder().encode(outcome), to: cell.outcome)
                    try ended(cell, outcome)
                case .interrupted: isStopping = true
                case .busy:
                    attempts[cell.outcome.path, default: 0] += 1
                    guard attempts[cell.outcome.path, default: 0] <= Self.patience else {
                        throw FileError(
                            path: cell.directory.path, operation: .lock, reason: .inUse,
                            detail: "another process is working on this run")
                    }
                    Thread.sleep(forTimeInterval: 1)
                    again.append(cell)
                }
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        guard !isStopping else {
            throw TrainingStopped(
                .interrupted,
                "interrupted after \(done) cells of this call; everything is saved. The same command goes on",
                step: done, checkpointStep: nil)
        }
    }

    /// Whether another cell may begin: as many as asked for, and with memory for one as large as the largest so far.
    private func hasRoom(beside working: Int) -> Bool {
        guard working < parallel else { return false }
        guard working > 0, largestPeak > 0, let available = SystemMemory.available else { return true }
        return available > largestPeak + largestPeak / 4
    }

    /// What the file of a cell says; nil where there is none, or where it says that the cell failed: that is no finding (it was
    /// killed, or the disk was full), and the next call may well find otherwise.
    static func outcome(of cell: Cell, retryingFailed: Bool = true) throws -> CellOutcome? {
        guard FileManager.default.fileExists(atPath: cell.outcome.path) else { return nil }
        do {
            let outcome = try JSON.decoder().decode(
                CellOutcome.self, from: try MappedFile.contents(of: cell.outcome))
            return outcome.status == .failed && retryingFailed ? nil : outcome
        } catch is DecodingError {
            throw CheckpointError(
                .damaged,
                "\(cell.outcome.path) is damaged: it is not a cell's outcome; remove it to run the cell again"
            )
        }
    }

    private func makeParent(of cell: Cell) throws {
        try FileManager.default.createDirectory(
            at: cell.directory.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
}
