import PerturbedEquations
import Torch

/// Where the engine finds a model's parameters and gradients: in their own memory, or in copies of it on the host.
///
/// The engine is the CPU's. For a model on a GPU the gradients are copied to the host, a step changes copies of the
/// parameters there, and these are copied back: the update is the same to the bit wherever the model computes.
final class ParameterMemory {
    private let tensors: TensorList
    /// nil where the engine works on the parameters themselves.
    private let copies: HostCopies?
    /// The parameters' versions when they and the copies were last made equal.
    private var versions: [Int]
    /// Whether the engine may write to the copies: from when they were lent until the end of the step.
    private var isLent = false
    private var gradientsAreOld = true
    private var buffers: [ParameterBuffer] = []
    private var watch: GradientWatch?

    /// - Parameter isStaged: whether the engine works on copies.
    /// - Throws: `TorchError` where there is no memory for them.
    init(_ tensors: [Tensor], isStaged: Bool) throws(TorchError) {
        self.tensors = TensorList(tensors)
        versions = tensors.map(\.version)
        copies = isStaged && !tensors.isEmpty ? try HostCopies(self.tensors) : nil
    }

    /// From now on backward passes look at the gradients that they leave, where the optimizer's steps gain by it. The engine
    /// looks itself at those that are copied to the host.
    /// - Throws: `TorchError` where there is no memory.
    func watchGradients(for core: PerturbedOptimizer) throws(TorchError) {
        guard copies == nil else { return }
        watch = try GradientWatch(tensors, for: core)
    }

    /// Before a step: the copies take in what others have written to the parameters since the last one.
    /// - Throws: `TorchError` where the parameters cannot be copied.
    func begin() throws(TorchError) {
        gradientsAreOld = true
        guard let copies else { return }
        guard zip(tensors.tensors, versions).contains(where: { $0.version != $1 }) else { return }
        try copies.takeParameters()
        noteVersions()
    }

    /// Before the model is evaluated: the parameters become what the engine has made of them.
    /// - Throws: `TorchError` where they cannot be copied.
    func publish() throws(TorchError) { try publish(waiting: true) }

    private func publish(waiting: Bool) throws(TorchError) {
        guard let copies, isLent else { return }
        try copies.giveParameters(waiting: waiting)
        noteVersions()
    }

    private func noteVersions() {
        for (index, tensor) in tensors.tensors.enumerated() { versions[index] = tensor.version }
    }

    /// Runs a step, or what else changes the parameters, between ``begin()`` and the copying back; after a failure, too, the
    /// parameters are what the engine has left.
    func lending<Result>(_ body: () throws -> Result) throws -> Result {
        try begin()
        defer { isLent = false }
        let result: Result
        do {
            result = try body()
        } catch {
            try publish(waiting: true)
            throw error
        }
        // Whoever borrows the copies next waits for it; the model's next pass need not.
        try publish(waiting: false)
        return result
    }

    /// After a backward pass.
    func noteGradients() { gradientsAreOld = true }

    /// Removes all gradients, so that the next backward pass writes new ones.
    func zeroGradients() { tensors.zeroGradients() }

    /// The memory of each parameter and gradient, on the host. Without copies it is valid until a parameter or gradient is
    /// replaced; with them it stays where it is.
    /// - Throws: `TorchError` for one that cannot be lent.
    func lend() throws -> [ParameterBuffer] {
        guard let copies else { return try tensors.withParameterViews(lend) }
        isLent = true
        if gradientsAreOld {
            gradientsAreOld = false
            try copies.takeGradients()
        }
        // The last step's parameters may still be on their way.
        try copies.settle()
        return lend(copies.views)
    }

    private func lend(_ views: TensorList.Views) -> [ParameterBuffer] {
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

    /// The copying of a step alone, both ways, for measurements.
    func copyBothWays() throws(TorchError) {
        guard let copies else { return }
        try copies.takeGradients()
        try copies.giveParameters(waiting: true)
    }
}
