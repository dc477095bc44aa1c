import Dispatch

/// How the engine runs its threads' shares at the same time. Given from outside, so that the step joins the
/// thread pool that the rest of the program already uses.
public struct ParallelFor: Sendable {
    /// How many shares the blocks are dealt into.
    public let threads: Int
    private let body: @Sendable (Int, (Int) -> Void) -> Void

    /// - Parameters:
    ///   - threads: the number of shares, ≥ 1.
    ///   - body: calls its second argument once with each of 0 …< its first argument, in any order and on
    ///     any threads, and returns when all have returned.
    public init(threads: Int, _ body: @escaping @Sendable (Int, (Int) -> Void) -> Void) {
        precondition(threads >= 1, "a parallel-for needs at least one thread")
        self.threads = threads
        self.body = body
    }

    /// The calling thread alone.
    public static let serial = ParallelFor(threads: 1) { count, body in
        for index in 0..<count { body(index) }
    }

    /// Dispatch's pool.
    public static func dispatch(threads: Int) -> ParallelFor {
        threads == 1
            ? .serial
            : ParallelFor(threads: threads) { count, body in
                // The shares write to disjoint memory, and all have returned before this call does.
                withoutActuallyEscaping(body) { body in
                    nonisolated(unsafe) let body = body
                    DispatchQueue.concurrentPerform(iterations: count) { body($0) }
                }
            }
    }

    package func callAsFunction(_ count: Int, _ work: (Int) -> Void) {
        body(count, work)
    }
}
