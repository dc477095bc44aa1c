/// Memory for a batch of transitions, row by row; made once and filled again and again.
public struct ReplayBatch: Sendable {
    /// How many transitions.
    public let count: Int
    public internal(set) var observations: [Float]
    public internal(set) var actions: [Float]
    public internal(set) var rewards: [Float]
    public internal(set) var nextObservations: [Float]
    /// 1 where the task was over after the transition, so that nothing is bootstrapped; else 0.
    public internal(set) var terminated: [Float]

    /// - Precondition: the sizes are at least 1.
    public init(count: Int, observationSize: Int, actionSize: Int) {
        precondition(
            count >= 1 && observationSize >= 1 && actionSize >= 1,
            "a batch has at least one transition, of at least one number each")
        self.count = count
        observations = [Float](repeating: 0, count: count * observationSize)
        actions = [Float](repeating: 0, count: count * actionSize)
        rewards = [Float](repeating: 0, count: count)
        nextObservations = observations
        terminated = rewards
    }
}
