import PerturbedEquations
import Torch

extension ParallelFor {
    /// libtorch's own thread pool, so that the step and the model's operations share the cores instead of
    /// fighting for them.
    public static func torch(threads: Int = Threads.count) -> ParallelFor {
        threads == 1
            ? .serial
            : ParallelFor(threads: threads) { count, body in
                // The shares write to disjoint memory, and all have returned before this call does.
                withoutActuallyEscaping(body) { body in
                    nonisolated(unsafe) let body = body
                    Threads.parallelFor(threads: threads, count: count) { body($0) }
                }
            }
    }
}
