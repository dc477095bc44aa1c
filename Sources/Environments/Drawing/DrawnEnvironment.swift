import PerturbedEquations

/// An environment that can be shown: `peo evaluate RUN --render FILE.gif`.
///
/// To draw one of your own, conform it; nothing else is needed.
public protocol DrawnEnvironment: Environment {
    /// How many steps are shown in a second.
    var framesPerSecond: Int { get }

    /// An empty picture in the environment's units.
    ///
    /// - Parameter width: in pixels.
    func canvas(width: Int) -> Canvas

    /// Draws a state.
    ///
    /// - Parameter action: what was done last; nil in the first state.
    func draw(_ state: State, action: [Float]?, on canvas: inout Canvas)
}

extension DrawnEnvironment {
    /// Plays one episode and draws every state of it.
    ///
    /// - Parameters:
    ///   - seed: of the episode.
    ///   - width: of the pictures, in pixels.
    ///   - most: steps after which an episode is cut.
    ///   - policy: writes an action for an observation.
    ///   - frame: is given each picture.
    /// - Returns: the sum of the rewards and the number of steps.
    /// - Throws: what `policy` and `frame` throw.
    public func play(
        seed: UInt64, width: Int, most: Int = 10_000,
        policy: (_ observation: [Float], _ action: inout [Float]) throws -> Void,
        frame: (Canvas) throws -> Void
    ) throws -> (total: Double, steps: Int) {
        let key = NoiseKey(seed: seed).derived("drawn")
        var state = initialState(EpisodeNoise(key: key, step: 0))
        var observation = [Float](repeating: 0, count: observationSpace.count)
        var action = [Float](repeating: 0, count: actionSpace.count)
        let empty = canvas(width: width)
        func show(_ action: [Float]?) throws {
            var picture = empty
            draw(state, action: action, on: &picture)
            try frame(picture)
        }
        try show(nil)
        var (total, steps) = (0.0, 0)
        while true {
            var seen = observation.mutableSpan
            observe(state, into: &seen)
            try policy(observation, &action)
            steps += 1
            let transition = step(
                &state, action: action.span, noise: EpisodeNoise(key: key, step: steps))
            total += transition.reward
            try show(action)
            if transition.terminated || transition.truncated || steps >= min(most, timeLimit ?? .max) {
                return (total, steps)
            }
        }
    }
}
