import CTorchBridge

extension Tensor {
    /// An activation that ``perceptron(_:_:)`` computes together with the layers.
    public enum PerceptronActivation: Sendable, Hashable {
        case relu
        case tanh
    }

    /// Linear layers with an activation between each two, on x [n, inputs]: what `linear` and the activation give one after
    /// the other, as one operation of the graph, which makes no other tensor than each layer's output.
    ///
    /// Rows whose gradient is zero are left out of the backward pass, those whose activations are not finite too. Values and gradients are equal to those of the single
    /// operations up to rounding. With other types than float32, on a GPU, under autocast and in `withSecondDerivatives` it is
    /// the single operations.
    ///
    /// - Parameter layers: W [outputs, inputs] and b [outputs] of each layer in turn. Traps for shapes that do not go together.
    public func perceptron(_ layers: TensorList, _ activation: PerceptronActivation) -> Tensor {
        let number = Int32((activation == .relu ? PTB_RELU : PTB_TANH).rawValue)
        var handle: OpaquePointer?
        let status = withExtendedLifetime(self) {
            layers.withHandles { ptb_perceptron(self.handle, $0, $1 / 2, number, &handle) }
        }
        guard status == 0 else { return failed("perceptron", status, [self] + layers.tensors) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}
