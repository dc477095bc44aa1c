import PerturbedEquations

/// The order in which one epoch visits the training examples: a pure function of (seed, epoch).
///
/// Nothing is carried from epoch to epoch, so a run resumed in the middle of epoch 7 makes the order of
/// epoch 7 anew and skips the batches it has done.
///
/// ```swift
/// let order = EpochOrder(key: NoiseKey(seed: 1), epoch: 3, count: dataset.train.count)
/// for batch in order.batches(of: 64) { … }
/// ```
public struct EpochOrder: Sendable, Hashable {
    /// Every example once, in the order of visit.
    public let indices: [Int]

    /// The order `key.derived("shuffle").derived(epoch).permutation(of: count)`.
    ///
    /// - Parameters:
    ///   - key: the run's key.
    ///   - epoch: the number of the epoch, from 0.
    ///   - count: how many examples there are.
    public init(key: NoiseKey, epoch: Int, count: Int) {
        precondition(epoch >= 0 && count >= 0)
        indices = key.derived("shuffle").derived(UInt64(epoch)).permutation(of: count)
    }

    /// The order without a shuffle, for evaluation.
    public init(unshuffled count: Int) {
        indices = Array(0..<count)
    }

    /// The batches of this order; see ``Batches``.
    public func batches(of size: Int, dropLast: Bool = false) -> Batches {
        Batches(indices: indices, size: size, dropLast: dropLast)
    }
}
