import Foundation

/// One run of a comparison or a search: a configuration, a seed, and where its run directory is.
struct Cell: Sendable {
    /// Shown in messages: `sam, seed 3`.
    var title: String
    var directory: URL
    /// The configuration's file.
    var config: URL
    var seed: UInt64
    /// Further `--set` arguments.
    var settings: [String] = []

    /// Where the outcome is kept.
    var outcome: URL { directory.appendingPathExtension("json") }
}

/// How a cell ended; kept in a file beside its run.
public struct CellOutcome: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable {
        /// It was trained to its end.
        case completed
        /// The stability controller gave up, or the loss was not finite.
        case diverged
        /// It was refused, crashed, or was killed.
        case failed
    }

    public var status: Status
    /// Numbers measured with the final weights, by name: those of the test data, and `validation.` those of the held-out
    /// data.
    public var metrics: [String: Double]
    /// Why it was not completed.
    public var message: String?
    /// The most memory that its process held, in bytes.
    public var peakBytes: Int?
}
