import CTorchBridge

/// libtorch's thread pool.
public enum Threads {
    /// How many threads libtorch's operations use.
    public static var count: Int {
        get { Int(ptb_threads()) }
        set { ptb_set_threads(Int32(clamping: newValue)) }
    }

    /// Calls `body` once for each index below `count`, on up to `threads` threads of libtorch's own pool, and
    /// returns when all are done. Which thread runs which index is not fixed.
    ///
    /// Not to be called from inside `body`.
    public static func parallelFor(
        threads: Int = Threads.count, count: Int, _ body: @Sendable (Int) -> Void
    ) {
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { pointer in
                ptb_parallel_for(
                    Int32(clamping: threads), count,
                    { index, context in
                        guard let context else { return }
                        context.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(index)
                    }, UnsafeMutableRawPointer(mutating: pointer))
            }
        }
    }
}
