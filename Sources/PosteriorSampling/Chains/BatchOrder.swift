import PerturbedEquations

/// The order in which a chain goes through the examples: a pure function of its key and the step.
///
/// Every epoch is a permutation of its own (Fisher and Yates), drawn from the words of one noise stream: several times as fast as
/// `NoiseKey.permutation(of:)`, which would cost as much as a small potential. An index is the upper half of a 64-bit word times
/// the bound: no index is likelier than another by more than 1 in 2⁶⁴/N.
final class BatchOrder {
    private let key: NoiseKey
    private var epoch = -1
    /// In 32 bits, which stay in a nearer cache while they are shuffled.
    private let order: UnsafeMutableBufferPointer<UInt32>
    private let batch: UnsafeMutableBufferPointer<Int>

    /// Swaps whose words are drawn at once: an even number.
    private static let drawn = 4096

    init(key: NoiseKey, examples: Int, size: Int) {
        precondition(examples <= Int(UInt32.max), "an order of \(examples) examples")
        self.key = key.derived("shuffle")
        order = .allocate(capacity: examples)
        order.initialize(repeating: 0)
        batch = .allocate(capacity: size)
        batch.initialize(repeating: 0)
    }

    deinit {
        order.deallocate()
        batch.deallocate()
    }

    /// The examples of a step; valid until the next call.
    func batch(at step: Int) -> UnsafeBufferPointer<Int> {
        let perEpoch = order.count / batch.count
        if step / perEpoch != epoch {
            epoch = step / perEpoch
            shuffle()
        }
        let first = step % perEpoch * batch.count
        for place in batch.indices { batch[place] = Int(order[first + place]) }
        return UnsafeBufferPointer(batch)
    }

    private func shuffle() {
        for index in order.indices { order[index] = UInt32(truncatingIfNeeded: index) }
        var end = order.count
        while end > 1 {
            let first = max(0, (end - 1) / Self.drawn * Self.drawn)
            let words = NoiseStream(
                key: key, step: epoch, parameter: 0, term: 0, firstElement: UInt64(2 * first)
            ).words(2 * (end - first))
            words.withUnsafeBufferPointer { words in
                for last in stride(from: end - 1, through: max(1, first), by: -1) {
                    let place = 2 * (last - first)
                    let word = UInt64(words[place]) | UInt64(words[place + 1]) << 32
                    order.swapAt(last, Int(word.multipliedFullWidth(by: UInt64(last + 1)).high))
                }
            }
            end = first
        }
    }
}
