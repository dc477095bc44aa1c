import Foundation

/// Where and how the step's arithmetic runs. None of it changes a bit of the noise.
public struct Engine: Sendable {
    /// Elements per block. Blocks never span two parameters. Changing it changes the order in which sums
    /// (norms) are combined, and nothing else.
    public var blockSize: Int
    /// The vector instructions to use.
    public var level: SIMDLevel
    public var parallel: ParallelFor
    /// Steps over fewer elements than this stay on the calling thread: waking others would cost more.
    public var serialBelow: Int

    /// - Parameters:
    ///   - parallel: Dispatch over all processors unless told.
    ///   - level: the machine's highest unless told.
    ///   - blockSize: a multiple of 32; 16,384 unless told: a block of δ stays in the nearest caches.
    public init(
        parallel: ParallelFor = .dispatch(threads: ProcessInfo.processInfo.activeProcessorCount),
        level: SIMDLevel = .highest, blockSize: Int = 16384, serialBelow: Int = 32768
    ) {
        precondition(blockSize >= 32 && blockSize % 32 == 0, "a block holds a multiple of 32 elements")
        precondition(SIMDLevel.supported.contains(level), "this machine has no \(level) instructions")
        self.parallel = parallel
        self.level = level
        self.blockSize = blockSize
        self.serialBelow = serialBelow
    }
}
