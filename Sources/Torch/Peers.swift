import CTorchBridge

/// libtorch's own fused optimizer steps, to measure ours against in one process.
public struct Peers {
    private let parameter: Tensor
    private let gradient: Tensor
    private let first: Tensor
    private let second: Tensor
    private let step: Tensor

    /// A parameter of `count` float32 elements with its gradient and Adam's state.
    ///
    /// - Throws: `TorchError` where there is not enough memory.
    public init(count: Int) throws {
        parameter = try Tensor.zeros([count])
        gradient = try Tensor.zeros([count])
        first = try Tensor.zeros([count])
        second = try Tensor.zeros([count])
        step = try Tensor.zeros([])
        try check("fill", ptb_fill_normal(gradient.handle, 0, 1, 1))
    }

    /// `torch.optim.Adam(fused=True).step()`.
    public func adam(learningRate: Double = 1e-3) throws {
        try withExtendedLifetime(self) {
            try check(
                "adam",
                ptb_peer_adam(
                    parameter.handle, gradient.handle, first.handle, second.handle, step.handle, learningRate)
            )
        }
    }

    /// `torch.optim.SGD(fused=True).step()`.
    public func sgd(learningRate: Double = 1e-3) throws {
        try withExtendedLifetime(self) {
            try check("sgd", ptb_peer_sgd(parameter.handle, gradient.handle, learningRate))
        }
    }

    /// `gradient.add_(torch.randn_like(gradient), alpha=deviation)`.
    public func addNoise(deviation: Double = 1e-3) throws {
        try withExtendedLifetime(self) {
            try check("addNoise", ptb_peer_add_noise(gradient.handle, deviation))
        }
    }
}
