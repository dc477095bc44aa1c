/// Work over the blocks on the engine's threads.
extension PerturbedOptimizer {
    /// Deals the blocks to the threads in runs and collects what each returns.
    func perThread(_ work: (Range<Int>, ThreadScratch) -> Double) -> [Double] {
        let parallel = elements < engine.serialBelow ? ParallelFor.serial : engine.parallel
        let threads = max(1, min(parallel.threads, blocks.count))
        while scratch.count < threads { scratch.append(ThreadScratch(blockSize: blockSize)) }
        let count = blocks.count
        var results = [Double](repeating: 0, count: threads)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            parallel(threads) { thread in
                let range = count * thread / threads..<count * (thread + 1) / threads
                results[thread] = work(range, scratch[thread])
            }
        }
        return results
    }
}
