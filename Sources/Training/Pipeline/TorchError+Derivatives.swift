import Torch

extension TorchError {
    /// Whether an operation has no derivative, or no second one. libtorch has no code of its own for all of these.
    package var isMissingDerivative: Bool {
        code == .notImplemented
            || code == .refused && message.hasPrefix("derivative for ") && message.contains("not implemented")
    }
}
