import PerturbedEquations

/// A task for an agent: a Markov decision process whose episodes begin, go on step by step, and end.
///
/// A conforming value holds the settings and never changes; what changes is its `State`. So one environment serves any
/// number of copies on any number of threads, a state can be saved and put back, and stepping allocates nothing.
///
/// ```swift
/// struct Corridor: Environment {
///     var length = 10
///     var observationSpace: BoxSpace { BoxSpace(count: 1, in: 0...Float(length)) }
///     var actionSpace: ActionSpace { .discrete(2) }
///     var timeLimit: Int? { 100 }
///
///     func initialState(_ noise: EpisodeNoise) -> Int { 0 }
///     func observe(_ place: Int, into observation: inout MutableSpan<Float>) { observation[0] = Float(place) }
///     func step(_ place: inout Int, action: Span<Float>, noise: EpisodeNoise) -> Transition {
///         place = max(0, place + (action[0] == 1 ? 1 : -1))
///         return Transition(reward: -1, terminated: place == length)
///     }
/// }
/// ```
///
/// `Examples/CustomEnvironment` is such a type in a program that runs. ``VectorEnvironment`` steps many copies, checks
/// actions and results, cuts episodes at the time limit, and begins new ones.
public protocol Environment: Catalogued {
    /// Everything that a step changes; small and without references, so that a step allocates nothing.
    associatedtype State: Sendable, Codable

    /// The shape and the bounds of an observation. Read once, when copies are made.
    var observationSpace: BoxSpace { get }

    /// What an agent may do. Read once, when copies are made.
    var actionSpace: ActionSpace { get }

    /// After how many steps an episode is truncated; nil: never. Read once, when copies are made.
    var timeLimit: Int? { get }

    /// A state in which an episode begins, drawn from `noise` alone.
    func initialState(_ noise: EpisodeNoise) -> State

    /// Writes what the agent sees of a state, row by row: all elements of the observation space.
    func observe(_ state: State, into observation: inout MutableSpan<Float>)

    /// One step. Where it draws, it draws from `noise` alone.
    ///
    /// - Parameter action: all elements of the action space, within its bounds; a discrete action is one whole number.
    func step(_ state: inout State, action: Span<Float>, noise: EpisodeNoise) -> Transition

    /// Steps some of the copies, and begins new episodes where old ones end. Implemented for you: it is a requirement
    /// so that the compiler makes one loop for each environment, with its step inside.
    func stepCopies(
        _ range: Range<Int>, states: UnsafeMutablePointer<State>, memory: CopyMemory
    ) -> CopyFault?
}

extension Environment {
    public var timeLimit: Int? { nil }

    /// The name alone, for types that are used from Swift and never listed.
    public static var catalogueEntry: CatalogueEntry {
        CatalogueEntry(
            name: "\(Self.self)", summary: "\(Self.self).", equation: "see its source", parameters: [],
            source: "this program")
    }
}

/// What a step gives, besides the new state.
public struct Transition: Sendable, Hashable, BitwiseCopyable {
    /// r, in the environment's own unit.
    public var reward: Double
    /// Whether the task is over: the new state has no value of its own, and nothing is bootstrapped from it.
    public var terminated: Bool
    /// Whether the episode is cut short although the task goes on: the new state still has a value. The time limit is
    /// added by ``VectorEnvironment``.
    public var truncated: Bool

    public init(reward: Double, terminated: Bool = false, truncated: Bool = false) {
        self.reward = reward
        self.terminated = terminated
        self.truncated = truncated
    }
}
