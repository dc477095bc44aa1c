import PerturbedEquations
import Safetensors
import Torch
import TorchNN

/// Takes perturbed steps on the parameters of a module.
///
/// It lends the memory of each parameter and gradient to a `PerturbedOptimizer` for the length of a step;
/// nothing is copied, except for a model on a GPU: its gradients go to the host and its parameters come back, so that
/// the bits of an update do not depend on the device. The step runs on libtorch's thread pool, for a model on a GPU on
/// Dispatch's.
///
/// ```swift
/// let optimizer = try ModelOptimizer(
///     model, equation: PerturbedEquation(rule: Adam(learningRate: 1e-3), perturbation: Gaussian(sigma: 0.01)),
///     seed: 1)
/// loss.backward()
/// try optimizer.step()
/// optimizer.zeroGradients()
/// ```
public final class ModelOptimizer {
    /// The optimizer of the core: its state, counts and settings.
    public let core: PerturbedOptimizer
    /// What terms need besides the gradient; nil where none needs anything. Whoever computes the gradient feeds it.
    public let signals: TermSignals?
    private let memory: ParameterMemory

    /// - Parameters:
    ///   - module: whose parameters, float32, float64 or bfloat16, are trained.
    ///   - equation: the rule, the perturbation and the guards.
    ///   - groups: parameters with their own rule or perturbation, by name.
    ///   - seed: selects the noise.
    ///   - horizon: the length of the run in steps, for schedules that leave it out.
    ///   - stepsPerEpoch: the length of an epoch, for schedules that count in epochs.
    ///   - threads: how many threads a step uses; libtorch's number unless told.
    /// - Throws: `ConfigurationError`, as `PerturbedOptimizer`, for a parameter of another type, and for a `rounding` of no
    ///   use.
    public convenience init(
        _ module: any Module, equation: PerturbedEquation, groups: [ParameterGroup] = [], seed: UInt64,
        horizon: Int? = nil, stepsPerEpoch: Int? = nil, threads: Int = Threads.count
    ) throws {
        try self.init(
            module, equation: equation, groups: groups, seed: seed, horizon: horizon,
            stepsPerEpoch: stepsPerEpoch, threads: threads, isStaged: false)
    }

    /// - Parameter isStaged: whether the engine works on copies even where it could do without.
    package init(
        _ module: any Module, equation: PerturbedEquation, groups: [ParameterGroup] = [], seed: UInt64,
        horizon: Int? = nil, stepsPerEpoch: Int? = nil, threads: Int = Threads.count, isStaged: Bool
    ) throws {
        let named = module.parameters
        let isOnGPU = named.contains { $0.tensor.device != .cpu }
        memory = try ParameterMemory(named.map(\.tensor), isStaged: isStaged || isOnGPU)
        // libtorch's threads wait for their next work by turning, while a GPU's work is given out beside them: a small network
        // trains half as fast again without.
        let pool: ParallelFor = isOnGPU ? .dispatch(threads: threads) : .torch(threads: threads)
        let specs = try named.map(Self.spec)
        try equation.requireUseOfRounding(for: specs)
        core = try PerturbedOptimizer(
            parameters: specs, equation: equation, groups: groups, seed: seed,
            horizon: horizon, stepsPerEpoch: stepsPerEpoch, engine: Engine(parallel: pool)
        )
        signals = try TermSignals(named, memory, core, seed: seed)
        try memory.watchGradients(for: core)
        core.companions = module.buffers.map(CompanionTensor.init)
    }

    private static func spec(of parameter: NamedTensor) throws -> ParameterSpec {
        let scalar: ScalarType
        switch parameter.tensor.dtype {
        case .float32: scalar = .float32
        case .float64: scalar = .float64
        case .bfloat16: scalar = .bfloat16
        default:
            throw ConfigurationError(
                "has the type \(parameter.tensor.dtype); allowed: float32, float64, bfloat16",
                path: parameter.name)
        }
        return ParameterSpec(parameter.name, shape: parameter.tensor.shape, scalar: scalar)
    }

    /// Takes one logical step from the gradients that the backward passes have left.
    ///
    /// - Parameters:
    ///   - loss: L before the step, for `stability.rollbackOnSpike`.
    ///   - measure: whether to report ‖g‖ and ‖δ‖ even where the step does not need them.
    /// - Throws: `DivergenceError`, as `PerturbedOptimizer.step`; `TorchError` for a gradient that cannot be
    ///   lent.
    @discardableResult
    public func step(loss: Double? = nil, measure: Bool = false) throws -> StepReport {
        try memory.lending {
            let buffers = try memory.lend()
            return try core.step(signals?.supply(buffers) ?? buffers, loss: loss, measure: measure)
        }
    }

    /// Takes one logical step on an objective, which may be evaluated more than once: what an equation with a
    /// parameter perturbation, or the rule IVON, needs.
    ///
    /// ```swift
    /// try optimizer.step { evaluation in
    ///     let loss = loss(model.forward(x, ForwardContext(
    ///         training: true, seed: seed, learnsStatistics: evaluation.isFirst)), y)
    ///     if evaluation.needsGradient { try loss.backward() }
    ///     return loss.item()
    /// }
    /// ```
    ///
    /// - Parameter objective: gives the loss at the parameters as they are and, where the evaluation asks for it,
    ///   runs the backward pass. Gradients are removed before each such evaluation; the others run without
    ///   recording one.
    /// - Throws: what `objective` throws, with the parameters as before; else as `step(loss:measure:)`.
    @discardableResult
    public func step(
        measure: Bool = false, objective: (ObjectiveEvaluation) throws -> Double
    ) throws -> StepReport {
        var hasGradients = false
        func lend() throws -> [ParameterBuffer] {
            let buffers = try memory.lend()
            return hasGradients ? try signals?.supply(buffers) ?? buffers : buffers
        }
        return try memory.lending {
            try core.step(lending: lend, measure: measure) { evaluation in
                try memory.publish()
                guard evaluation.needsGradient else {
                    return try withoutGradients { () throws in try objective(evaluation) }
                }
                zeroGradients()
                hasGradients = true
                defer { memory.noteGradients() }
                return try objective(evaluation)
            }
        }
    }

    /// Takes note of the gradient that the backward passes so far have left, as that of a part of the batch: for
    /// controllers that follow the batch's own noise. See `PerturbedOptimizer.noteSmallBatch`.
    ///
    /// - Throws: `TorchError` for a gradient that cannot be lent.
    public func noteSmallBatch(share: Double, examples: Int, of batch: Int) throws {
        memory.noteGradients()
        core.noteSmallBatch(try memory.lend(), share: share, examples: examples, of: batch)
    }

    /// Copies the parameters and the state, for ``rollBack(to:cut:)``.
    /// - Throws: `TorchError` for a parameter that cannot be lent.
    public func keep() throws -> KeptState {
        try memory.lending { core.keep(try memory.lend()) }
    }

    /// Brings the parameters and the state back to what ``keep()`` gave: for those who judge several steps at once. The steps
    /// taken since still count, for schedules and the addresses of noise, and so does the rollback.
    ///
    /// - Parameter cut: the factor on every noise strength from here on, 0 ≤ cut ≤ 1.
    /// - Throws: `TorchError` for a parameter that cannot be lent.
    public func rollBack(to kept: KeptState, cut: Double = 1) throws {
        try memory.lending { core.rollBack(to: kept, try memory.lend(), cut: cut) }
    }

    /// A step's copying alone, for measurements: the gradients to the host and the parameters back.
    package func copyBothWays() throws { try memory.copyBothWays() }

    /// The state to save: the optimizer's, and the estimate of the Hessian's diagonal. Valid until the next step.
    public func stateSources() -> [TensorSource] {
        core.stateSources() + (signals?.hessian?.stateSources() ?? [])
    }

    /// Reads what `stateSources` wrote.
    /// - Throws: as `PerturbedOptimizer.loadState`.
    public func loadState(from file: SafetensorsFile) throws {
        try core.loadState(from: file)
        try signals?.hessian?.loadState(from: file)
    }

    /// Removes all gradients, so that the next backward pass writes new ones.
    public func zeroGradients() {
        memory.zeroGradients()
    }
}
