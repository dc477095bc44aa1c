/// What the index knows of a run: what its directory said when it was last looked at.
public struct RunRecord: Encodable, Sendable, Equatable {
    /// How a run stands.
    public enum Status: String, Codable, Sendable, CaseIterable {
        /// A process works on it now.
        case running
        /// All steps were taken.
        case completed
        /// The evaluation had stopped to improve.
        case stoppedEarly
        /// It was asked to stop, and can be resumed.
        case interrupted
        /// Its process ended without a word, and it can be resumed.
        case killed
        /// The stability controller gave up.
        case diverged
        /// It ended with another error.
        case failed
        /// Parts of it are gone, or cannot be read.
        case damaged
        /// Its directory is gone.
        case missing
    }

    /// Where its directory is: in the index by the folder of the index, and for users by their working directory.
    public var run: String
    public var name: String
    public var status: Status
    /// Why it was not completed.
    public var message: String?
    /// Of an agent, the algorithm.
    public var model: String
    /// Of an agent, the environment.
    public var data: String
    /// The terms of the perturbation: `gaussian+weightPenalty`.
    public var perturbation: String
    public var seed: UInt64?
    /// Of the first and the last session, ISO 8601.
    public var started: String?
    public var ended: String?
    /// Logical steps taken, as far as they are saved or logged.
    public var steps: Int
    /// Wall time of training, without evaluation and saving.
    public var trainingSeconds: Double
    /// Numbers measured with the newest weights, by name: those of the test data, and `validation.` those of the held-out data.
    public var metrics: [String: Double]
    /// The configuration, by key path.
    public var settings: [String: String]
    /// Tells one state of the directory's files from another.
    var stamp: String

    private enum CodingKeys: String, CodingKey {
        case run, name, status, message, model, data, perturbation, seed, started, ended, steps,
            trainingSeconds
        case metrics, settings
    }
}
