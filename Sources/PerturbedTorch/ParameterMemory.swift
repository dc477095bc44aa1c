import PerturbedEquations
import Torch

/// Where the engine finds a model's parameters and gradients: in their own memory, or in copies of it on the host.
///
/// The engine is the CPU's. For a model on a GPU the gradients are copied to the host, a step changes mirrors of the
/// parameters there, and these are copied back: the update is the same to the bit wherever the model computes.
final class ParameterMemory {
    private let tensors: TensorList
    /// The parameters' copies on the host; nil where the engine works on the parameters themselves.
    private let mirrors: TensorList?
    /// The parameters' versions when they and the mirrors were last made equal.
    private var versions: [Int]
    /// Whether the engine may write to the mirrors: from when they were lent until the end of the step.
    private var isLent = false
    private var gradientsAreOld = true
    private var buffers: [ParameterBuffer] = []
    private var watch: GradientWatch?

    /// - Parameter isStaged: whether the engine works on copies.
    /// - Throws: `TorchError` where there is no memory for them.
    init(_ tensors: [Tensor], isStaged: Bool) throws(TorchError) {
        self.tensors = TensorList(tensors)
        versions = tensors.map(\.version)
        mirrors =
            isStaged
            ? TensorList(tensors.map { $0.detached().moved(to: .cpu).contiguous().cloned() })
            : nil
        try Libtorch.checkHeldFailure()
    }

    /// From now on backward passes look at the gradients that they leave, where the optimizer's steps gain by it. The engine
    /// looks itself at those that are copied to the host.
    /// - Throws: `TorchError` where there is no memory.
    func watchGradients(for core: PerturbedOptimizer) throws(TorchError) {
        guard mirrors == nil else { return }
        watch = try GradientWatch(tensors, for: core)
    }

    /// Before a step: the mirrors take in what others have written to the parameters since the last one.
    func begin() {
        gradientsAreOld = true
        guard let mirrors else { return }
        for (index, tensor) in tensors.tensors.enumerated() where tensor.version != versions[index] {
            mirrors.tensors[index].copy(from: tensor.detached())
            versions[index] = tensor.version
        }
    }

    /// Before the model is evaluated: the parameters become what the engine has made of them.
    func publish() {
        guard let mirrors, isLent else { return }
        for (index, tensor) in tensors.tensors.enumerated() {
            tensor.copy(from: mirrors.tensors[index])
            versions[index] = tensor.version
        }
    }

    /// After a step.
    func end() {
        publish()
        isLent = false
    }

    /// After a backward pass.
    func noteGradients() { gradientsAreOld = true }

    /// Removes all gradients, so that the next backward pass writes new ones.
    func zeroGradients() { tensors.zeroGradients() }

    /// The memory of each parameter and gradient, on the host. Without mirrors it is valid until a parameter or gradient is
    /// replaced; with them, that of the parameters stays where it is.
    /// - Throws: `TorchError` for one that cannot be lent.
    func lend() throws -> [ParameterBuffer] {
        if let mirrors {
            isLent = true
            if gradientsAreOld {
                gradientsAreOld = false
                for (mirror, tensor) in zip(mirrors.tensors, tensors.tensors) {
                    mirror.gradient = tensor.gradient?.moved(to: .cpu)
                }
            }
        }
        return try (mirrors ?? tensors).withParameterViews { views in
            buffers.removeAll(keepingCapacity: true)
            watch?.refresh()
            for (index, view) in views.enumerated() {
                buffers.append(
                    ParameterBuffer(
                        parameters: view.data, gradient: view.gradient.map { UnsafeRawPointer($0) },
                        largestGradient: watch?[index]))
            }
            return buffers
        }
    }
}
