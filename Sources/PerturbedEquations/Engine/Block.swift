/// A run of elements of one parameter: what one call of a kernel works on.
///
/// Blocks have a fixed size and are numbered over all parameters, so that threads share them evenly and
/// sums over blocks are combined in a fixed order.
struct Block {
    /// Its number over all parameters.
    let index: Int
    let parameter: Int
    let start: Int
    let count: Int

    /// The blocks of tensors of the given sizes, in order.
    static func table(of counts: [Int], size: Int) -> [Block] {
        var blocks: [Block] = []
        for (parameter, count) in counts.enumerated() {
            for start in stride(from: 0, to: count, by: size) {
                blocks.append(
                    Block(
                        index: blocks.count, parameter: parameter, start: start,
                        count: min(size, count - start)))
            }
        }
        return blocks
    }
}

/// One thread's working memory: a block of δ, of clipped gradient, and of the rule's own noise, wide enough
/// for float64, and a block of θ widened from bfloat16.
final class ThreadScratch {
    let delta: UnsafeMutableRawPointer
    let gradient: UnsafeMutableRawPointer
    let parameters: UnsafeMutableRawPointer
    private let blockSize: Int
    private var noiseMemory: UnsafeMutableRawPointer?
    private var partMemory: UnsafeMutableRawPointer?

    init(blockSize: Int) {
        self.blockSize = blockSize
        delta = .allocate(byteCount: blockSize * 8, alignment: 64)
        gradient = .allocate(byteCount: blockSize * 8, alignment: 64)
        parameters = .allocate(byteCount: blockSize * 4, alignment: 64)
    }

    /// Room for the rule's noise, made when a rule first asks for it.
    var noise: UnsafeMutableRawPointer {
        if let noiseMemory { return noiseMemory }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: blockSize * 8, alignment: 64)
        noiseMemory = memory
        return memory
    }

    private var spares: [UnsafeMutableRawPointer] = []

    /// Room for one block more, made when it is first asked for: copies of θ and the state.
    func spare(_ number: Int) -> UnsafeMutableRawPointer {
        while spares.count <= number { spares.append(.allocate(byteCount: blockSize * 8, alignment: 64)) }
        return spares[number]
    }

    /// Room for one term of δ that is weighted, made when there first is one.
    var part: UnsafeMutableRawPointer {
        if let partMemory { return partMemory }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: blockSize * 8, alignment: 64)
        partMemory = memory
        return memory
    }

    deinit {
        for spare in spares { spare.deallocate() }
        partMemory?.deallocate()
        delta.deallocate()
        gradient.deallocate()
        noiseMemory?.deallocate()
        parameters.deallocate()
    }
}
