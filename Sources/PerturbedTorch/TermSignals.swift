import PerturbedEquations
import Safetensors
import Torch
import TorchNN

/// Gathers, while a model's gradient is computed, what terms of its equation need besides it: the Hessian's diagonal
/// and the signals from micro-batches.
///
/// ```swift
/// optimizer.signals?.begin()
/// for (batch, share) in microBatches {
///     let loss = optimizer.signals?.recording { … } ?? …
///     try optimizer.signals?.observe(loss, share: share)
///     if let signals = optimizer.signals, signals.takesGradients {
///         try loss.backward()                 // of the micro-batch alone
///         try signals.takeGradients(share: share)
///     } else {
///         try (loss * share).backward()
///     }
/// }
/// try optimizer.step()
/// ```
public final class TermSignals {
    private let core: PerturbedOptimizer
    private let memory: ParameterMemory
    /// The Hessian's diagonal, where a term needs it.
    public let hessian: HutchinsonDiagonal?
    private let microBatches: MicroBatchSignals?
    /// Whether this step's gradients are taken out micro-batch by micro-batch.
    public private(set) var takesGradients = false
    private var estimates = false

    /// nil where no term can need any.
    init?(_ parameters: [NamedTensor], _ memory: ParameterMemory, _ core: PerturbedOptimizer, seed: UInt64)
        throws
    {
        let possible = core.possibleSignals
        guard !possible.isEmpty else { return nil }
        self.core = core
        self.memory = memory
        hessian = try core.hessianEstimate.map { try HutchinsonDiagonal(parameters, $0, seed: seed) }
        microBatches =
            possible.contains(where: \.needsMicroBatches)
            ? MicroBatchSignals(parameters: core.parameters, possible, seed: seed) : nil
    }

    /// Before the first micro-batch of a step, and of each further evaluation of the batch in the step.
    ///
    /// - Parameter estimating: whether the Hessian's diagonal may be estimated; once a step.
    public func begin(estimating: Bool = true) {
        let required = core.requiredSignals
        takesGradients = required.contains(where: \.needsMicroBatches)
        estimates = estimating && required.contains(.hessianDiagonal) && hessian?.isDue(at: core.step) == true
        if takesGradients { microBatches?.begin(step: core.step) }
    }

    /// Runs the forward pass of a micro-batch. Where its loss will be derived twice, by operations that can be:
    /// `withSecondDerivatives`.
    public func recording<Result, Failure: Error>(_ forward: () throws(Failure) -> Result) throws(Failure)
        -> Result
    {
        try estimates ? withSecondDerivatives(forward) : forward()
    }

    /// Before the backward pass of each micro-batch, whose loss was computed in ``recording(_:)``.
    /// - Throws: `TorchError`, as `HutchinsonDiagonal.add`.
    public func observe(_ loss: Tensor, share: Double) throws {
        guard estimates else { return }
        try hessian?.add(loss, share: share, step: core.step)
    }

    /// After the backward pass of each micro-batch, where `takesGradients`: takes the gradients and removes them.
    public func takeGradients(share: Double) throws {
        memory.noteGradients()
        microBatches?.add(try memory.lend(), share: share)
        memory.noteGradients()
        memory.zeroGradients()
    }

    /// The buffers of a step with what was gathered.
    func supply(_ buffers: [ParameterBuffer]) throws -> [ParameterBuffer] {
        var buffers = buffers
        // Without an estimate, or an attempt at one, the step misses the signal.
        let isSupplied = estimates || hessian?.isKnown == true
        if estimates { hessian?.finish() }
        estimates = false
        if let hessian, isSupplied {
            for (index, tensor) in hessian.diagonal.enumerated() {
                tensor.withUnsafeMutableBytes {
                    buffers[index].signals[.hessianDiagonal] = UnsafeRawPointer($0.baseAddress)
                }
            }
        }
        guard takesGradients, let microBatches else { return buffers }
        return try microBatches.finish(buffers)
    }
}
