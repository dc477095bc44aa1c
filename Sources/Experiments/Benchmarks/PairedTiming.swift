import Foundation

/// Times several pieces of work in turn, round after round, so that a drift of the machine's speed meets
/// all of them alike and ratios can be taken within a round.
///
/// Each timed run follows an untimed one of the same work: it finds threads awake and caches as a loop of it
/// would, not as its neighbour in the table left them.
struct PairedTiming {
    struct Work {
        let run: () throws -> Void

        init(_ run: @escaping () throws -> Void) {
            self.run = run
        }
    }

    /// Seconds by work and round.
    let seconds: [[Double]]

    /// Times every work once in each of `rounds` rounds.
    init(_ works: [Work], rounds: Int) throws {
        var seconds = [[Double]](repeating: [], count: works.count)
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            for (index, work) in works.enumerated() {
                try work.run()
                let elapsed = try clock.measure { try work.run() }
                let (whole, fraction) = elapsed.components
                seconds[index].append(Double(whole) + Double(fraction) * 1e-18)
            }
        }
        self.seconds = seconds
    }

    /// The median time of one work.
    func median(_ index: Int) -> Double {
        Self.median(seconds[index])
    }

    /// The median over rounds of one work's time by another's.
    func ratio(_ index: Int, to reference: Int) -> Double {
        Self.median(zip(seconds[index], seconds[reference]).map { $0 / $1 })
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// The memory of this process, from Linux's `/proc`.
enum ProcessMemory {
    /// Peak resident bytes since the last `resetPeak`; nil where the system does not tell.
    static var peak: Int? { field("VmHWM:") }
    /// Resident bytes now.
    static var resident: Int? { field("VmRSS:") }

    /// Makes the peak equal to what is resident now; false where the system does not allow it.
    static func resetPeak() -> Bool {
        guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
        defer { fclose(file) }
        return fputs("5", file) >= 0
    }

    private static func field(_ name: String) -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
            return nil
        }
        for line in status.split(separator: "\n") where line.hasPrefix(name) {
            return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
        }
        return nil
    }
}
