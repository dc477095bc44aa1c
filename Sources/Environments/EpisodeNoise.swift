import PerturbedEquations

/// The randomness of one step of one episode: a pure function of (seed, copy, episode, step, index).
///
/// Nothing is stored and nothing advances, so an episode is the same on any thread, beside any number of other copies,
/// and after any resume. It costs nothing where it is not used.
public struct EpisodeNoise: Sendable, Hashable {
    /// The episode's key.
    public let key: NoiseKey
    /// 0 for the initial state; 1 for the first step.
    public let step: Int

    public init(key: NoiseKey, step: Int) {
        self.key = key
        self.step = step
    }

    /// 64 random bits.
    ///
    /// - Parameter index: tells the draws of one step apart, 0 …< 2²⁴.
    public func word(_ index: Int = 0) -> UInt64 {
        precondition(index >= 0 && index < 1 << 24, "a draw has an index in 0 …< 2²⁴, not \(index)")
        return key.word(UInt64(step) << 24 | UInt64(index))
    }

    /// A uniform variate in 0 ..< 1, a multiple of 2⁻⁵³.
    public func uniform(_ index: Int = 0) -> Double {
        Double(word(index) >> 11) * 0x1p-53
    }

    /// A uniform variate from `range`: low + (high − low)·u, as NumPy draws it.
    public func uniform(in range: ClosedRange<Double>, _ index: Int = 0) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform(index)
    }
}
