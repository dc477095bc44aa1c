import Foundation
import Safetensors
import Synchronization
import Training

/// Enters a run in the index as it begins and as it ends.
///
/// It never fails and hardly ever waits: the index is written on a thread of its own, and what goes wrong with it is told
/// once. `peo runs` finds a run below its folder without this too.
public final class RunEntry: Sendable {
    private let run: URL
    private let folder: URL
    private let queue = DispatchQueue(label: "peo.run-index")
    private let told: @Sendable (String) -> Void
    private let hasTold = Mutex(false)

    /// For how long an entry is tried while other processes write, in seconds, and how long the end of a run may wait for it.
    private static let (patience, longestWait) = (2.0, 3.0)

    /// - Parameters:
    ///   - run: the run's directory, which this process works on.
    ///   - told: is told once if the index cannot be written; may be called on another thread.
    public init(
        of run: URL, in folder: URL = RunIndex.standardFolder, told: @escaping @Sendable (String) -> Void
    ) {
        self.run = run
        self.folder = folder
        self.told = told
    }

    /// Writes how the run stands now; goes on at once.
    public func update() {
        queue.async { [self] in
            do {
                try write()
            } catch {
                let isFirst = hasTold.withLock { told in
                    defer { told = true }
                    return !told
                }
                if isFirst {
                    told("the run is not in the index of runs: \(error). It is not needed for the run itself")
                }
            }
        }
    }

    /// Waits until what was to be written is, but not for long.
    public func finish() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + Self.longestWait)
    }

    private func write() throws {
        let index = try opened()
        try index.write([RunRecord(of: run, run: index.key(of: run), isOwn: true)])
    }

    /// Several processes that make an index at once may find it busy in spite of SQLite's own patience.
    private func opened() throws -> RunIndex {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.patience)
        while true {
            do {
                return try RunIndex(folder: folder, patience: Self.patience)
            } catch let error as FileError where error.reason == .inUse && clock.now < deadline {
                usleep(20_000)
            }
        }
    }
}
