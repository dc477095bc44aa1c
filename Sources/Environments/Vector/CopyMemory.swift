import PerturbedEquations

/// Where one copy stands.
public struct CopyProgress: Sendable, Codable, Hashable, BitwiseCopyable {
    /// The copy's key, from which its episodes' keys are derived.
    @usableFromInline let copyKey: NoiseKey
    /// The running episode's number, from 0.
    public internal(set) var episode: Int
    /// The running episode's key.
    @usableFromInline var key: NoiseKey
    /// Steps taken in the running episode.
    public internal(set) var steps: Int
    /// The sum of the running episode's rewards.
    public internal(set) var total: Double

    @usableFromInline init(copyKey: NoiseKey, episode: Int) {
        self.copyKey = copyKey
        self.episode = episode
        key = copyKey.derived(UInt64(episode))
        steps = 0
        total = 0
    }

    @inlinable var noise: EpisodeNoise { EpisodeNoise(key: key, step: steps) }

    /// Counts a step and its reward.
    @usableFromInline mutating func add(_ reward: Double) { total += reward }
    @usableFromInline mutating func advance() { steps += 1 }
}

/// The flat arrays that the loop over copies reads and writes, one place for each copy.
public struct CopyMemory {
    @usableFromInline var actions: UnsafePointer<Float>
    @usableFromInline let observations: UnsafeMutablePointer<Float>
    @usableFromInline let finalObservations: UnsafeMutablePointer<Float>
    @usableFromInline let rewards: UnsafeMutablePointer<Double>
    @usableFromInline let terminated: UnsafeMutablePointer<Bool>
    @usableFromInline let truncated: UnsafeMutablePointer<Bool>
    @usableFromInline let episodeReturns: UnsafeMutablePointer<Double>
    @usableFromInline let episodeLengths: UnsafeMutablePointer<Int>
    @usableFromInline let progress: UnsafeMutablePointer<CopyProgress>
    @usableFromInline let actionSize: Int
    @usableFromInline let observationSize: Int
    /// `Int.max` where there is none.
    @usableFromInline let timeLimit: Int

    /// The same with these actions.
    func taking(_ actions: UnsafePointer<Float>) -> CopyMemory {
        var memory = self
        memory.actions = actions
        return memory
    }
}

/// A number that an environment must not give, and where it gave it.
public struct CopyFault: Sendable, Hashable, BitwiseCopyable {
    @usableFromInline let copy: Int
    /// The element of the observation; nil: the reward.
    @usableFromInline let element: Int?
    @usableFromInline let value: Double

    @usableFromInline init(copy: Int, element: Int?, value: Double) {
        self.copy = copy
        self.element = element
        self.value = value
    }
}
