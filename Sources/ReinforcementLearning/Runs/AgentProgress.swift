import Foundation

/// What an agent's run has seen so far; part of every checkpoint.
struct AgentProgress: Codable, Sendable, Equatable {
    /// How many of the last episodes the run's return is the mean of.
    static let window = 100

    /// The last episodes, oldest first.
    private(set) var recent: [LearnerReport.Episode] = []
    /// Episodes that ended, from the beginning.
    private(set) var episodes = 0
    /// Skipped updates in a row, up to now.
    var skippedInARow = 0
    var collapse = CollapseWatch()
    /// Rollbacks that the log has told of.
    var rolledBack = 0
    /// Sums of the agent's metrics since the last line of the log, in their order.
    private var names: [String] = []
    private var sums: [Double] = []
    private var reports: [Int] = []

    init() {}

    mutating func take(_ report: LearnerReport) {
        episodes += report.episodes.count
        recent += report.episodes
        if recent.count > Self.window { recent.removeFirst(recent.count - Self.window) }
        for (name, value) in report.metrics {
            guard let place = names.firstIndex(of: name) else {
                names.append(name)
                sums.append(value)
                reports.append(1)
                continue
            }
            sums[place] += value
            reports[place] += 1
        }
    }

    /// The mean return of the last episodes, undiscounted; nil before the first has ended.
    var meanReturn: Double? { mean(\.total) }
    /// Their mean length, in steps.
    var meanLength: Double? { mean { Double($0.length) } }

    private func mean(_ value: (LearnerReport.Episode) -> Double) -> Double? {
        recent.isEmpty ? nil : recent.reduce(0) { $0 + value($1) } / Double(recent.count)
    }

    /// The values of a line of the log: the return, and the means of the agent's metrics since the last call.
    mutating func takeLine() -> [(name: String, value: Double)] {
        var values: [(name: String, value: Double)] = []
        if let meanReturn, let meanLength {
            values = [("return", meanReturn), ("length", meanLength)]
        }
        values.append(("episodes", Double(episodes)))
        for (place, name) in names.enumerated() {
            values.append((name, sums[place] / Double(reports[place])))
        }
        (names, sums, reports) = ([], [], [])
        return values
    }
}
