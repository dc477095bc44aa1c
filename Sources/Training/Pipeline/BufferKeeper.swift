import Torch
import TorchNN

/// Keeps a copy of a module's buffers during a step, for the case that the step is skipped. (A rollback brings back
/// those of the snapshot: the optimizer has them as companions.)
///
/// A batch whose activations are not finite spoils the running statistics of batch normalisation for ever, and
/// does so in the forward pass, before anybody can see it.
final class BufferKeeper {
    private let buffers: TensorList
    private let copies: TensorList

    init(_ model: any Module) {
        let tensors = model.buffers.map(\.tensor)
        buffers = TensorList(tensors)
        copies = TensorList(tensors.map { $0.detached().cloned() })
    }

    /// Copies the buffers aside.
    func keep() { copies.copy(from: buffers) }

    /// Puts the buffers back to what they were when they were last kept.
    func restore() { buffers.copy(from: copies) }
}
