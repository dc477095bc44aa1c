import CTorchBridge

/// The mean loss of linear layers with an activation between each two, and its gradient by every weight, without a graph: for
/// networks so small that recording the operations and walking back over them is most of the time.
///
/// ```
/// L = (1/n) Σᵢ ℓ(f(xᵢ), yᵢ),   gradients[k] = ∂L/∂θₖ
/// ```
///
/// Equal to ``Tensor/perceptron(_:_:)``, the loss and `backward` up to rounding. Used by one thread at a time.
public final class PerceptronPass {
    public enum Loss: Sendable, Hashable {
        /// −log softmax(y)_class.
        case crossEntropy
        /// factor·(y − target)².
        case squaredError(factor: Double)
    }

    /// ∂L/∂θ, in the order of the layers' weights; each pass writes them anew, where they are.
    public let gradients: [Tensor]
    private let layers: TensorList
    private let pass: OpaquePointer

    /// - Parameter layers: W [outputs, inputs] and b [outputs] of each layer in turn: float32, on the CPU, each in one piece. Steps
    ///   must change them where they are.
    /// - Throws: `TorchError` for others.
    public init(_ layers: [Tensor], _ activation: Tensor.PerceptronActivation) throws(TorchError) {
        var gradients: [Tensor] = []
        for layer in layers { gradients.append(try .zeros(layer.shape)) }
        let number = Int32((activation == .relu ? PTB_RELU : PTB_TANH).rawValue)
        let (weights, slopes) = (TensorList(layers), TensorList(gradients))
        var pass: OpaquePointer?
        let status = weights.withHandles { weights, count in
            slopes.withHandles { slopes, _ in
                ptb_perceptron_pass_make(weights, slopes, count / 2, number, &pass)
            }
        }
        try check("PerceptronPass", status)
        self.gradients = gradients
        self.layers = weights
        self.pass = pass!
    }

    deinit { ptb_perceptron_pass_release(pass) }

    /// L of a batch; writes ``gradients``.
    ///
    /// - Parameters:
    ///   - x: [n, …], float32: as many numbers for each example as the first layer has inputs.
    ///   - targets: classes, int64 [n], or numbers, float32 [n, outputs].
    /// - Throws: `TorchError` for others, and where there is no memory.
    public func meanLoss(_ x: Tensor, _ targets: Tensor, _ loss: Loss) throws(TorchError) -> Double {
        var (kind, factor) = (PTB_CROSS_ENTROPY, 1.0)
        if case .squaredError(let given) = loss { (kind, factor) = (PTB_SQUARED_ERROR, given) }
        var mean = 0.0
        let status = withExtendedLifetime((x, targets)) {
            ptb_perceptron_pass_run(pass, x.handle, targets.handle, Int32(kind.rawValue), factor, &mean)
        }
        try check("PerceptronPass", status)
        return mean
    }
}
