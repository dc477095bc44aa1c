import Environments
import PerturbedEquations
import PerturbedTorch
import Safetensors
import TorchNN

/// An algorithm of reinforcement learning, with its settings, as a configuration names it.
///
/// To add one: its own file with the settings and the ``Learner``, and a line in ``AlgorithmCatalogue``.
public protocol Algorithm: Catalogued {
    /// Makes an agent that has learnt nothing yet.
    ///
    /// - Throws: `ConfigurationError` where the algorithm does not suit the environment (names both) or the equation;
    ///   `ReplayBufferError`, `TorchError` where there is no memory.
    func makeLearner(_ setup: LearnerSetup) throws -> any Learner
}

/// What an agent learns from, and with which perturbed update.
public struct LearnerSetup {
    /// The copies that it acts in.
    public var copies: VectorEnvironment
    /// The rule, the perturbation and the guards of every network's updates.
    public var equation: PerturbedEquation
    /// Parameters with a rule or a perturbation of their own, by full name, such as `actor.0.weight`.
    public var groups: [ParameterGroup]
    /// All randomness of the run derives from it.
    public var seed: UInt64
    /// Environment steps of the whole run, over all copies: the horizon of schedules.
    public var totalSteps: Int

    public init(
        copies: VectorEnvironment, equation: PerturbedEquation, groups: [ParameterGroup] = [], seed: UInt64,
        totalSteps: Int
    ) {
        self.copies = copies
        self.equation = equation
        self.groups = groups
        self.seed = seed
        self.totalSteps = totalSteps
    }
}

/// An agent that learns as it acts.
///
/// Everything random is addressed by (seed, step), and everything else is in `networks`, `optimizers` and
/// ``state()``, so that an agent that is saved and restored goes on with the same bits.
public protocol Learner: AnyObject {
    /// Environment steps taken, over all copies.
    var environmentSteps: Int { get }

    /// The networks, targets included, under the names that their weights are saved with: `actor`, `critic`.
    var networks: [NamedModule] { get }

    /// The perturbed optimizers, by name.
    var optimizers: [(name: String, optimizer: ModelOptimizer)] { get }

    /// Acts in the copies for some steps, and learns what there is to learn from them.
    ///
    /// - Throws: `EnvironmentError`, `TorchError`; `DivergenceError` where the stability controller gives up.
    func advance() throws -> LearnerReport

    /// The actions of the policy without exploration, as flat as the copies take them.
    ///
    /// - Parameters:
    ///   - observations: rows as the environment gives them; the agent normalises them itself.
    ///   - count: rows.
    func act(on observations: Span<Float>, count: Int, into actions: inout MutableSpan<Float>) throws

    /// What else a resumed agent needs: replay memory, running statistics, the copies' snapshot. Valid until the next
    /// ``advance()``.
    func state() throws -> LearnerState

    /// Puts back what ``state()`` gave; the networks and the optimizers are restored by the caller.
    ///
    /// - Throws: an error that names the file and the fault.
    func restore(_ metadata: [String: String], from file: SafetensorsFile) throws
}

/// The state of an agent beside its networks and optimizers.
public struct LearnerState {
    public var tensors: [TensorSource] = []
    /// Numbers and snapshots, as text.
    public var metadata: [String: String] = [:]

    public init() {}
}

/// What came of one ``Learner/advance()``.
public struct LearnerReport: Sendable {
    /// An episode that ended.
    public struct Episode: Sendable, Hashable, Codable {
        /// The sum of its rewards, undiscounted, in the environment's own unit.
        public var total: Double
        /// Its steps.
        public var length: Int

        public init(total: Double, length: Int) {
            self.total = total
            self.length = length
        }
    }

    /// The episodes that ended, in the order of their ends.
    public var episodes: [Episode] = []
    /// Name and value, in a fixed order; each algorithm defines its own where it documents them. Empty where nothing was learnt.
    public var metrics: [(name: String, value: Double)] = []

    public init() {}
}
