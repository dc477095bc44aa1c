/// A run of elements of one parameter: what one call of a kernel works on.
///
/// Blocks have a fixed size and are numbered over all parameters, so that threads share them evenly and
/// sums over blocks are combined in a fixed order.
struct Block {
    let parameter: Int
    let start: Int
    let count: Int

    /// The blocks of tensors of the given sizes, in order.
    static func table(of counts: [Int], size: Int) -> [Block] {
        counts.enumerated().flatMap { parameter, count in
            stride(from: 0, to: count, by: size).map {
                Block(parameter: parameter, start: $0, count: min(size, count - $0))
            }
        }
    }
}

/// One thread's working memory: a block of δ and a block of clipped gradient, wide enough for float64.
final class ThreadScratch {
    let delta: UnsafeMutableRawPointer
    let gradient: UnsafeMutableRawPointer

    init(blockSize: Int) {
        delta = .allocate(byteCount: blockSize * 8, alignment: 64)
        gradient = .allocate(byteCount: blockSize * 8, alignment: 64)
    }

    deinit {
        delta.deallocate()
        gradient.deallocate()
    }
}
