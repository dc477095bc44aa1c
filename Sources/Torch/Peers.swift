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

    /// Lends the memory of the parameter and the gradient, so that another step can be timed on the very same:
    /// where memory lies decides its speed by tens of percent.
    public func withMemory<Result>(
        _ body: (_ parameter: UnsafeMutableRawPointer, _ gradient: UnsafeRawPointer) throws -> Result
    ) rethrows -> Result {
        try parameter.withUnsafeMutableBytes { parameter in
            try gradient.withUnsafeMutableBytes { gradient in
                guard let p = parameter.baseAddress, let g = gradient.baseAddress else {
                    preconditionFailure("a peer has at least one element")
                }
                return try body(p, UnsafeRawPointer(g))
            }
        }
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
