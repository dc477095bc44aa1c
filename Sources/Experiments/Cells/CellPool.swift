import Foundation
import Safetensors
import Training

/// Runs cells side by side, within the machine's cores and memory, and keeps their outcomes in files.
///
/// A cell that has an outcome is not run again; one that was begun goes on where it was.
final class CellPool {
    private let program: URL
    private let parallel: Int
    /// Is told each outcome as it comes, and how many of how many there are.
    private let told: (Cell, CellOutcome, _ done: Int, _ of: Int) -> Void
    /// The most memory that a cell has held so far.
    private var largestPeak = 0

    /// How often a cell whose run is still locked is tried again, once a second.
    private static let patience = 60

    init(
        program: URL, parallel: Int, told: @escaping (Cell, CellOutcome, _ done: Int, _ of: Int) -> Void
    ) {
        self.program = program
        self.parallel = parallel
        self.told = told
    }

    /// Runs what is left of `cells`.
    /// - Returns: the outcomes, in the cells' order.
    /// - Throws: ``TrainingStopped`` when interrupted, with everything saved; `FileError`.
    func run(_ cells: [Cell]) throws -> [CellOutcome] {
        var outcomes = try cells.map(Self.outcome)
        var waiting = outcomes.indices.filter { outcomes[$0] == nil }
        var attempts: [Int: Int] = [:]
        var working: [(index: Int, process: CellProcess)] = []
        var isStopping = false
        defer { for (_, process) in working { process.interrupt() } }
        while !working.isEmpty || !waiting.isEmpty {
            if Interruption.isRequested, !isStopping {
                isStopping = true
                for (_, process) in working { process.interrupt() }
            }
            if isStopping, working.isEmpty { break }
            while !isStopping, let next = waiting.first, hasRoom(beside: working.count) {
                waiting.removeFirst()
                try makeParent(of: cells[next])
                working.append((next, try CellProcess(cells[next], program: program)))
            }
            for (index, process) in working where !process.isRunning {
                largestPeak = max(largestPeak, process.peakBytes)
                working.removeAll { $0.index == index }
                switch try process.end() {
                case .outcome(let outcome):
                    outcomes[index] = outcome
                    try AtomicFile.write(try JSON.encoder().encode(outcome), to: cells[index].outcome)
                    told(cells[index], outcome, outcomes.count { $0 != nil }, cells.count)
                case .interrupted: isStopping = true
                case .busy:
                    attempts[index, default: 0] += 1
                    guard attempts[index, default: 0] <= Self.patience else {
                        throw FileError(
                            path: cells[index].directory.path, operation: .lock, reason: .inUse,
                            detail: "another process is working on this run")
                    }
                    Thread.sleep(forTimeInterval: 1)
                    waiting.insert(index, at: 0)
                }
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        guard !isStopping else {
            let done = outcomes.count { $0 != nil }
            throw TrainingStopped(
                .interrupted,
                "interrupted after \(done) of \(cells.count) cells; everything is saved. The same command goes on",
                step: done, checkpointStep: nil)
        }
        return outcomes.map { $0! }
    }

    /// Whether another cell may begin: as many as asked for, and with memory for one as large as the largest so far.
    private func hasRoom(beside working: Int) -> Bool {
        guard working < parallel else { return false }
        guard working > 0, largestPeak > 0, let available = Self.availableMemory else { return true }
        return available > largestPeak + largestPeak / 4
    }

    private static var availableMemory: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") })
        else { return nil }
        return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
    }

    private static func outcome(of cell: Cell) throws -> CellOutcome? {
        guard FileManager.default.fileExists(atPath: cell.outcome.path) else { return nil }
        do {
            return try JSON.decoder().decode(
                CellOutcome.self, from: try MappedFile.contents(of: cell.outcome))
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
