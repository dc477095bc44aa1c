import PerturbedEquations

/// n copies of an environment that step in one call, from and into flat arrays.
///
/// Where an episode ends, the next begins in the same call (Gymnasium's autoreset mode `SAME_STEP`): `observations` has
/// the new episode's first observation, and `finalObservations` the one that the old episode ended with, from which the
/// value of a truncated episode is bootstrapped.
///
/// Everything random is addressed by (seed, copy, episode, step): a copy's trajectory depends on these and on its own
/// actions, not on the number of copies or threads.
///
/// ```swift
/// let copies = try VectorEnvironment(CartPole(), copies: 4, seed: 1)
/// try copies.step([1, 0, 1, 1])
/// print(copies.observations[0..<4].map(\.self), copies.rewards[0], copies.terminated[0])
/// ```
///
/// Stepping allocates nothing on one thread.
public final class VectorEnvironment {
    /// The environment's name in the catalogue.
    public let name: String
    public let observationSpace: BoxSpace
    public let actionSpace: ActionSpace
    public let timeLimit: Int?
    /// n.
    public let count: Int
    public let seed: UInt64

    /// What the agent acts on next, n rows.
    public let observations: FlatBuffer<Float>
    /// r of the last step, n.
    public let rewards: FlatBuffer<Double>
    /// Whether the task was over with the last step, n.
    public let terminated: FlatBuffer<Bool>
    /// Whether the episode was cut short with the last step, by the environment or its time limit, n. Both may be true.
    public let truncated: FlatBuffer<Bool>
    /// The last observation of the episode that ended with the last step, n rows; rows of other copies are older ones.
    public let finalObservations: FlatBuffer<Float>
    /// The sum of the rewards of the episode that ended with the last step, n; places of other copies are older ones.
    public let episodeReturns: FlatBuffer<Double>
    /// The steps of that episode, n.
    public let episodeLengths: FlatBuffer<Int>

    let progress: FlatBuffer<CopyProgress>
    let copies: any EnvironmentCopies
    private let noActions = FlatBuffer<Float>(repeating: 0, count: 1)
    /// The arrays, without actions.
    let resting: CopyMemory
    private let parallel: ParallelFor
    private let faults: FlatBuffer<CopyFault?>
    /// Whether an environment has given a number that is not finite.
    var isSpent = false

    /// Makes the copies, and begins episode 0 of each.
    ///
    /// - Parameters:
    ///   - count: n, 1 … 2²⁰.
    ///   - parallel: threads for environments whose steps take long; the calling thread alone unless told.
    /// - Throws: `EnvironmentError` where a space makes no sense, or a first observation is not finite;
    ///   `ConfigurationError` where the environment's settings are out of range.
    public init<E: Environment>(
        _ environment: E, copies count: Int, seed: UInt64, parallel: ParallelFor = .serial
    ) throws {
        try within(E.catalogueEntry.name) { try environment.validate() }
        name = E.catalogueEntry.name
        observationSpace = environment.observationSpace
        actionSpace = environment.actionSpace
        timeLimit = environment.timeLimit
        self.count = count
        self.seed = seed
        self.parallel = parallel
        try Self.check(name, observationSpace, actionSpace, timeLimit, count)
        observations = FlatBuffer(repeating: 0, count: count * observationSpace.count)
        finalObservations = FlatBuffer(repeating: 0, count: count * observationSpace.count)
        rewards = FlatBuffer(repeating: 0, count: count)
        terminated = FlatBuffer(repeating: false, count: count)
        truncated = FlatBuffer(repeating: false, count: count)
        episodeReturns = FlatBuffer(repeating: 0, count: count)
        episodeLengths = FlatBuffer(repeating: 0, count: count)
        faults = FlatBuffer(repeating: nil, count: parallel.threads)
        let key = NoiseKey(seed: seed).derived("environments")
        progress = FlatBuffer(repeating: CopyProgress(copyKey: key, episode: 0), count: count)
        Self.begin(progress, key)
        let memory = CopyMemory(
            actions: UnsafePointer(noActions.start), observations: observations.start,
            finalObservations: finalObservations.start, rewards: rewards.start, terminated: terminated.start,
            truncated: truncated.start, episodeReturns: episodeReturns.start,
            episodeLengths: episodeLengths.start, progress: progress.start, actionSize: actionSpace.count,
            observationSize: observationSpace.count, timeLimit: timeLimit ?? .max)
        resting = memory
        copies = TypedCopies(environment, count: count, memory)
        try raise(copies.begin(memory))
    }

    /// Begins episode 0 of each copy again: all is as it was when the copies were made.
    ///
    /// - Throws: `EnvironmentError` where an observation is not finite.
    public func reset() throws(EnvironmentError) {
        Self.begin(progress, NoiseKey(seed: seed).derived("environments"))
        isSpent = false
        try raise(copies.begin(resting))
    }

    /// Steps every copy, and begins a new episode where one ends.
    ///
    /// - Parameter actions: n actions, one after the other. All are checked before any copy moves.
    /// - Throws: `EnvironmentError` that names the copy, the value and what is allowed, where a number of actions or an
    ///   action is wrong (nothing has moved), or an observation or a reward is not finite (``reset()`` starts over).
    public func step(_ actions: Span<Float>) throws(EnvironmentError) {
        guard !isSpent else {
            throw EnvironmentError(
                .needsReset,
                "environment '\(name)' gave a number that is not finite and cannot go on; reset it first")
        }
        try check(actions)
        let fault = actions.withUnsafeBufferPointer { actions -> CopyFault? in
            // There is at least one action.
            let memory = resting.taking(actions.baseAddress!)
            let shares = min(parallel.threads, count)
            if shares == 1 { return copies.step(0..<count, memory) }
            parallel(shares) { share in
                let range = share * count / shares..<(share + 1) * count / shares
                faults.start[share] = copies.step(range, memory)
            }
            return faults.prefix(shares).first { $0 != nil } ?? nil
        }
        try raise(fault)
    }

    /// Steps every copy, and begins a new episode where one ends.
    public func step(_ actions: [Float]) throws(EnvironmentError) {
        try step(actions.span)
    }

    /// Where a copy stands: episode, steps, and the sum of rewards so far.
    public func progress(of copy: Int) -> CopyProgress { progress[copy] }

    /// Marks the copies as unable to go on, and throws, where there is a fault.
    func raise(_ fault: CopyFault?) throws(EnvironmentError) {
        guard let fault else { return }
        isSpent = true
        throw error(fault)
    }

    private static func begin(_ progress: FlatBuffer<CopyProgress>, _ key: NoiseKey) {
        for copy in progress.indices {
            progress.start[copy] = CopyProgress(copyKey: key.derived(UInt64(copy)), episode: 0)
        }
    }
}
