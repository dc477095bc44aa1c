import Environments
import Foundation
import PerturbedEquations

/// The latest transitions (s, a, r, s′, over) in flat arrays that are made once; a full buffer forgets the oldest.
///
/// ```swift
/// let copies = try VectorEnvironment(Pendulum(), copies: 4, seed: 1)
/// let replay = try ReplayBuffer(capacity: 10_000, observationSize: 3, actionSize: 1)
/// let before = Array(copies.observations)
/// try copies.step([0, 1, 2, -1])
/// replay.add(before, actions: [0, 1, 2, -1], from: copies)
/// var batch = ReplayBatch(count: 32, observationSize: 3, actionSize: 1)
/// replay.sample(into: &batch, key: NoiseKey(seed: 1).derived("replay").derived(0))
/// ```
///
/// A transition takes 4·(2·observationSize + actionSize + 2) bytes. Adding and sampling allocate nothing.
///
/// Source: Lin 1992, Self-Improving Reactive Agents Based on Reinforcement Learning, Planning and Teaching.
public final class ReplayBuffer {
    public let capacity: Int
    public let observationSize: Int
    public let actionSize: Int
    /// How many transitions there are, at most `capacity`.
    public internal(set) var count = 0
    /// Where the next one goes.
    var next = 0

    var observations: [Float]
    var actions: [Float]
    var rewards: [Float]
    var nextObservations: [Float]
    var terminated: [Float]

    /// Makes the arrays.
    ///
    /// - Parameters:
    ///   - capacity: how many transitions, at least 1.
    ///   - availableMemory: bytes that may be taken; what the system has free unless told, nil: anything.
    /// - Throws: `ReplayBufferError` with the size, before any memory is taken, where it is more than that.
    public init(
        capacity: Int, observationSize: Int, actionSize: Int,
        availableMemory: Int? = ReplayBuffer.systemMemory
    ) throws(ReplayBufferError) {
        for (name, size) in [
            ("capacity", capacity), ("observationSize", observationSize), ("actionSize", actionSize),
        ] where size < 1 {
            throw ReplayBufferError(.size, "the replay buffer's \(name) is \(size); allowed: at least 1")
        }
        let bytes = Self.bytes(observationSize, actionSize)
        let total = bytes.multipliedReportingOverflow(by: capacity)
        if let availableMemory, total.overflow || total.partialValue > availableMemory {
            throw ReplayBufferError(
                .memory,
                "a replay buffer of \(capacity) transitions needs \(Self.text(Double(bytes) * Double(capacity))), "
                    + "\(bytes) bytes each; \(Self.text(Double(availableMemory))) are free, enough for "
                    + "\(availableMemory / bytes)")
        }
        guard !total.overflow else {
            throw ReplayBufferError(
                .size, "a replay buffer of \(capacity) transitions has more bytes than can be counted")
        }
        self.capacity = capacity
        self.observationSize = observationSize
        self.actionSize = actionSize
        observations = [Float](repeating: 0, count: capacity * observationSize)
        nextObservations = [Float](repeating: 0, count: capacity * observationSize)
        actions = [Float](repeating: 0, count: capacity * actionSize)
        rewards = [Float](repeating: 0, count: capacity)
        terminated = [Float](repeating: 0, count: capacity)
    }

    /// What the system has free, in bytes; nil where it does not tell.
    public static var systemMemory: Int? { SystemMemory.available }

    /// Adds a step of all copies of an environment.
    ///
    /// The next observation of a copy whose episode ended is its final one. A truncated episode is not over.
    ///
    /// - Parameters:
    ///   - observations: what the agent acted on, before the step.
    ///   - actions: what it did.
    ///   - copies: the environment after the step.
    /// - Precondition: the sizes are the buffer's.
    public func add(_ observations: [Float], actions: [Float], from copies: VectorEnvironment) {
        precondition(
            observations.count == copies.count * observationSize && actions.count == copies.count * actionSize
                && copies.observationSpace.count == observationSize && copies.actionSpace.count == actionSize,
            "a step of \(copies.count) copies: \(observations.count) observed numbers, \(actions.count) of actions"
        )
        for copy in 0..<copies.count {
            let ended = copies.terminated[copy] || copies.truncated[copy]
            let following = ended ? copies.finalObservations : copies.observations
            for i in 0..<observationSize {
                let from = copy * observationSize + i
                self.observations[next * observationSize + i] = observations[from]
                nextObservations[next * observationSize + i] = following[from]
            }
            for i in 0..<actionSize {
                self.actions[next * actionSize + i] = actions[copy * actionSize + i]
            }
            rewards[next] = Float(copies.rewards[copy])
            terminated[next] = copies.terminated[copy] ? 1 : 0
            next = next + 1 == capacity ? 0 : next + 1
            count = min(count + 1, capacity)
        }
    }

    /// Fills a batch with transitions drawn uniformly, with replacement: a pure function of the buffer and the key.
    ///
    /// - Parameter key: one for each batch, such as `key.derived(step)`.
    /// - Precondition: the buffer is not empty, and the batch has its sizes.
    public func sample(into batch: inout ReplayBatch, key: NoiseKey) {
        precondition(count > 0, "there is nothing to sample from an empty replay buffer")
        precondition(
            batch.observations.count == batch.count * observationSize
                && batch.actions.count == batch.count * actionSize,
            "the batch's observations and actions have the buffer's sizes")
        for row in 0..<batch.count {
            let from = Int(key.uniformIndex(below: UInt64(count), UInt64(row)))
            for i in 0..<observationSize {
                batch.observations[row * observationSize + i] = observations[from * observationSize + i]
                batch.nextObservations[row * observationSize + i] =
                    nextObservations[from * observationSize + i]
            }
            for i in 0..<actionSize { batch.actions[row * actionSize + i] = actions[from * actionSize + i] }
            batch.rewards[row] = rewards[from]
            batch.terminated[row] = terminated[from]
        }
    }

    /// The bytes of one transition; saturates, so that no size is too small.
    private static func bytes(_ observationSize: Int, _ actionSize: Int) -> Int {
        let (twice, overflow) = observationSize.multipliedReportingOverflow(by: 2)
        let (sum, second) = twice.addingReportingOverflow(actionSize)
        let (numbers, third) = sum.addingReportingOverflow(2)
        let (bytes, fourth) = numbers.multipliedReportingOverflow(by: MemoryLayout<Float>.size)
        return overflow || second || third || fourth ? .max : bytes
    }

    private static func text(_ bytes: Double) -> String {
        switch bytes {
        case 1e9...: String(format: "%.1f GB", bytes / 1e9)
        case 1e6...: String(format: "%.1f MB", bytes / 1e6)
        default: String(format: "%.0f bytes", bytes)
        }
    }
}
