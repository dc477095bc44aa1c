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
    /// The examples in the order of visit: each once, unless they are drawn.
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

    /// A random sample with repetition, for examples that overlap: the i-th is
    /// `key.derived("blocks").derived(epoch).uniformIndex(below: count, i)`.
    ///
    /// - Parameters:
    ///   - drawn: how many examples the epoch visits.
    ///   - count: how many examples there are, at least 1.
    public init(key: NoiseKey, epoch: Int, drawing drawn: Int, of count: Int) {
        precondition(epoch >= 0 && drawn >= 0 && count >= 1)
        let key = key.derived("blocks").derived(UInt64(epoch))
        indices = (0..<drawn).map { Int(key.uniformIndex(below: UInt64(count), UInt64($0))) }
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
