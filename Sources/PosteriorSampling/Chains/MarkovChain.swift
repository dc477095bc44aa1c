import PerturbedEquations
import Safetensors

/// What a step of a chain gave.
public struct ChainStep: Sendable {
    /// U before the step moved θ, as a minibatch estimates it; nil where it was not asked for and is not free.
    public var energy: Double?
    /// Whether θ moved.
    public var outcome: StepReport.Outcome

    public init(energy: Double?, outcome: StepReport.Outcome) {
        self.energy = energy
        self.outcome = outcome
    }
}

/// One Markov chain: θ, and the optimizer that moves it. Used by one thread at a time.
///
/// ``ChainSampler`` moves many, each on one core; a chain must give the same bits whatever thread it runs on.
public protocol MarkovChain: AnyObject {
    /// Holds the rule's state and the time; its engine is serial.
    var optimizer: PerturbedOptimizer { get }
    /// The names of what ``functions()`` gives.
    var functionNames: [String] { get }

    /// Takes one step.
    /// - Parameter measuring: whether U is asked for.
    func step(measuring: Bool) throws -> ChainStep
    /// Numbers of θ as it is, that chains are compared by.
    func functions() throws -> [Double]
    /// Lends the memory of each parameter, in the optimizer's order.
    func withParameters<Result>(
        _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) throws -> Result

    /// What the chain keeps beside θ and its optimizer's state, to be saved with them; nothing unless told.
    func keptSources() -> [TensorSource]
    /// Reads what ``keptSources()`` wrote.
    func restoreKept(from file: SafetensorsFile) throws
}

extension MarkovChain {
    public func keptSources() -> [TensorSource] { [] }
    public func restoreKept(from file: SafetensorsFile) throws {}
}

extension NoiseKey {
    /// The key of chain number `chain` of a run: all that is random in it derives from it.
    public static func chain(_ chain: Int, seed: UInt64) -> NoiseKey {
        NoiseKey(seed: seed).derived("chain").derived(UInt64(chain))
    }
}
