import PerturbedEquations

/// The order in which a chain goes through the examples: a pure function of its key and the step.
///
/// Every epoch is a permutation of its own (Fisher and Yates), drawn from the words of one noise stream: several times as fast as
/// `NoiseKey.permutation(of:)`, which would cost as much as a small potential. An index is the upper half of a 64-bit word times
/// the bound: no index is likelier than another by more than 1 in 2⁶⁴/N.
final class BatchOrder {
    private let key: NoiseKey
    private let size: Int
    private var epoch = -1
    private let order: UnsafeMutableBufferPointer<Int>

    init(key: NoiseKey, examples: Int, size: Int) {
        self.key = key.derived("shuffle")
        self.size = size
        order = .allocate(capacity: examples)
        order.initialize(repeating: 0)
    }

    deinit { order.deallocate() }

    /// The examples of a step; valid until the next call.
    func batch(at step: Int) -> UnsafeBufferPointer<Int> {
        let perEpoch = order.count / size
        if step / perEpoch != epoch {
            epoch = step / perEpoch
            shuffle()
        }
        let first = step % perEpoch * size
        return UnsafeBufferPointer(rebasing: order[first..<(first + size)])
    }

    private func shuffle() {
        for index in order.indices { order[index] = index }
        let words = NoiseStream(key: key, step: epoch, parameter: 0, term: 0).words(2 * order.count)
        words.withUnsafeBufferPointer { words in
            for last in stride(from: order.count - 1, to: 0, by: -1) {
                let word = UInt64(words[2 * last]) | UInt64(words[2 * last + 1]) << 32
                order.swapAt(last, Int(word.multipliedFullWidth(by: UInt64(last + 1)).high))
            }
        }
    }
}
