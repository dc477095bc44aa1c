import Foundation

/// One run of a comparison or a search: a configuration, a seed, and where its run directory is.
///
/// A cell may be a part of a run: the run then waits, and another cell goes on with it.
struct Cell: Sendable {
    /// Shown in messages: `sam, seed 3`.
    var title: String
    var directory: URL
    /// The configuration's file.
    var config: URL
    var seed: UInt64
    /// The share of its steps after which the run waits; nil: it is trained to its end.
    var pause: Pause?

    /// Where a run waits.
    struct Pause: Sendable {
        /// Of the run's steps, in (0, 1).
        var share: Double
        /// Tells the pauses of one run apart, in its outcome's file name.
        var name: String
    }

    /// Where the outcome is kept.
    var outcome: URL {
        directory.appendingPathExtension((pause.map { $0.name + "." } ?? "") + "json")
    }
}

/// How a cell ended; kept in a file beside its run.
public struct CellOutcome: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable {
        /// It waits where it was told to.
        case paused
        /// It was trained to its end.
        case completed
        /// The stability controller gave up, or the loss was not finite.
        case diverged
        /// It was refused, crashed, or was killed: the next call runs it again.
        case failed
    }

    public var status: Status
    /// Numbers measured with the last weights, by name: those of the test data or of an agent's episodes, and `validation.`
    /// those of the held-out data.
    public var metrics: [String: Double]
    /// Why it was not completed.
    public var message: String?
    /// The most memory that its process held, in bytes.
    public var peakBytes: Int?
}
