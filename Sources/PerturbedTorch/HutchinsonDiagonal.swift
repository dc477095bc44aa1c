import Foundation
import PerturbedEquations
import Safetensors
import Torch
import TorchNN

/// The diagonal of the Hessian of the loss, estimated by probes.
///
/// ```
/// ĥ = mean over probes of z ⊙ ∇⟨∇L, z⟩, z = ±1     h ← β·h + (1 − β)·ĥ
/// ```
///
/// E[ĥ] = diag(∇²L); for a diagonal Hessian one probe is exact. Each probe is a backward pass through the backward
/// pass. z is addressed by the seed, the step, the parameter, the micro-batch and the probe.
///
/// Sources: Hutchinson 1990; Bekas, Kokiopoulou, Saad 2007, An Estimator for the Diagonal of a Matrix.
public final class HutchinsonDiagonal {
    public let settings: HessianEstimate
    private let parameters: [NamedTensor]
    private let key: NoiseKey
    /// h, float32 for bfloat16 parameters, on the CPU; zero before the first estimate.
    public let diagonal: [Tensor]
    /// Whether there was an estimate.
    public private(set) var isKnown = false
    private var sample: [Tensor?]
    private var batches = 0

    /// - Throws: `TorchError` where there is no memory.
    public init(_ parameters: [NamedTensor], _ settings: HessianEstimate, seed: UInt64) throws {
        self.parameters = parameters
        self.settings = settings
        key = NoiseKey(seed: seed).derived("hutchinson")
        diagonal = try parameters.map { named in
            try .zeros(named.tensor.shape, dtype: Self.arithmetic(named.tensor.dtype))
        }
        sample = parameters.map { _ in nil }
    }

    private static func arithmetic(_ dtype: DType) -> DType { dtype == .bfloat16 ? .float32 : dtype }

    /// Whether an estimate is due at a step: every k steps, and as long as there is none.
    public func isDue(at step: Int) -> Bool { !isKnown || step % settings.every == 0 }

    /// Takes in the loss of one micro-batch, before its backward pass. The graph is kept.
    ///
    /// - Parameters:
    ///   - loss: a scalar with its graph, recorded in `withSecondDerivatives` where the model has attention or recurrent
    ///     layers.
    ///   - share: the micro-batch's share of the batch.
    /// - Throws: `TorchError`: an operation of the model has no second derivative, or there is no memory.
    public func add(_ loss: Tensor, share: Double = 1, step: Int) throws {
        let tensors = parameters.map(\.tensor)
        let first = try Tensor.gradients(of: [loss], at: tensors, differentiable: true)
        let key = key.derived(UInt64(batches))
        batches += 1
        for probe in 0..<settings.probes {
            var outputs: [Tensor] = []
            var signs: [Tensor?] = tensors.map { _ in nil }
            var weights: [Tensor] = []
            // A gradient that depends on no parameter (of a linear loss) has no second derivative.
            for (index, gradient) in first.enumerated() {
                guard let gradient, gradient.requiresGradient else { continue }
                let sign = try self.sign(key, index, step, probe).converted(to: gradient.dtype).moved(
                    to: gradient.device)
                signs[index] = sign
                outputs.append(gradient)
                weights.append(sign)
            }
            guard !outputs.isEmpty else { continue }
            let second = try Tensor.gradients(of: outputs, weights: weights, at: tensors, keepGraph: true)
            try withoutGradients {
                for (index, product) in second.enumerated() {
                    guard let product, let sign = signs[index] else { continue }
                    try add(product * sign, index, scale: share / Double(settings.probes))
                }
            }
        }
    }

    private func add(_ term: Tensor, _ index: Int, scale: Double) throws {
        let own = term.converted(to: diagonal[index].dtype)
        if sample[index] == nil {
            sample[index] = try Tensor.zeros(diagonal[index].shape, dtype: diagonal[index].dtype)
                .moved(to: term.device)
        }
        sample[index]!.addInPlace(own, scale: scale)
    }

    /// z: ±1 per element.
    private func sign(_ key: NoiseKey, _ parameter: Int, _ step: Int, _ probe: Int) throws -> Tensor {
        let tensor = try Tensor.zeros(parameters[parameter].tensor.shape)
        tensor.withUnsafeMutableBytes { bytes in
            var span = bytes.bindMemory(to: Float.self).mutableSpan
            NoiseStream(
                key: key, step: step, parameter: parameter, term: probe / 16, draw: probe % 16
            ).fill(&span, with: .rademacher)
        }
        return tensor
    }

    /// Takes the estimate of the micro-batches since the last call into h. One that is not finite is left out, as
    /// the step itself will be.
    public func finish() {
        defer {
            sample = parameters.map { _ in nil }
            batches = 0
        }
        guard batches > 0 else { return }
        withoutGradients {
            let isFinite = sample.allSatisfy { tensor in
                guard let tensor else { return true }
                return tensor.converted(to: .float64).squared().sum().item().isFinite
            }
            guard isFinite else { return }
            let kept = isKnown ? settings.average : 0
            for (h, tensor) in zip(diagonal, sample) {
                h.scaleInPlace(kept)
                if let tensor { h.addInPlace(tensor.moved(to: .cpu), scale: 1 - kept) }
            }
            isKnown = true
        }
    }

    // MARK: State

    /// h as it is saved: `hessian/<parameter>`; nothing before the first estimate.
    public func stateSources() -> [TensorSource] {
        guard isKnown else { return [] }
        return zip(parameters, diagonal).map { named, h in
            TensorSource(
                name: "hessian/\(named.name)", type: h.dtype == .float64 ? .float64 : .float32, shape: h.shape
            ) { write in try h.withUnsafeMutableBytes { try write(UnsafeRawBufferPointer($0)) } }
        }
    }

    /// Reads what `stateSources` wrote; none of it is what was there before the first estimate.
    /// - Throws: `SafetensorsError` for a missing or misshapen tensor; nothing is changed then.
    public func loadState(from file: SafetensorsFile) throws {
        guard file.tensors.contains(where: { $0.name.hasPrefix("hessian/") }) else {
            isKnown = false
            for h in diagonal { h.fillInPlace(0) }
            return
        }
        let entries = try zip(parameters, diagonal).map { named, h in
            try file.tensor(
                "hessian/\(named.name)", type: h.dtype == .float64 ? .float64 : .float32, shape: h.shape)
        }
        for (h, entry) in zip(diagonal, entries) {
            h.withUnsafeMutableBytes { _ = entry.data.copyBytes(to: $0) }
        }
        isKnown = true
    }
}
