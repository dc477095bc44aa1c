import Foundation

/// What a checkpoint says beside its tensors: where the run stands.
///
/// Random numbers need no state: they are addressed by (seed, step), and the order of the data by (seed,
/// epoch), so the position is enough to go on with the same bits.
public struct CheckpointManifest: Codable, Sendable, Equatable {
    /// The version of the format that this program writes, and the greatest that it reads.
    public static let currentVersion = 1

    /// The format's version.
    public var version = Self.currentVersion
    /// Logical steps taken.
    public var step: Int
    /// The epoch that the next step belongs to, from 0.
    public var epoch: Int
    /// The batch of that epoch that comes next, from 0.
    public var batch: Int
    /// The seed that all random numbers of the run derive from.
    public var seed: UInt64
    /// The run's progress: best evaluation, patience left, counts.
    public var progress: TrainingProgress

    public init(step: Int, epoch: Int, batch: Int, seed: UInt64, progress: TrainingProgress) {
        self.step = step
        self.epoch = epoch
        self.batch = batch
        self.seed = seed
        self.progress = progress
    }

    /// The manifest as text with sorted keys, the same for equal manifests.
    func encoded() throws -> String { String(decoding: try JSON.encoder().encode(self), as: UTF8.self) }
}
