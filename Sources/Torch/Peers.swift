import CTorchBridge

/// libtorch's own optimizer steps, to measure ours against in one process.
public final class Peers {
    private let parameters: TensorList
    private let gradients: TensorList
    private let first: TensorList
    private let second: TensorList
    private let steps: TensorList
    private var foreachSteps: Int64 = 0

    /// Parameters of `count` float32 elements each, with their gradients and Adam's state.
    ///
    /// - Throws: `TorchError` where there is not enough memory.
    public init(count: Int, tensors: Int = 1) throws {
        func list(_ shape: [Int]) throws -> TensorList {
            TensorList(try (0..<tensors).map { _ in try Tensor.zeros(shape) })
        }
        parameters = try list([count])
        gradients = try list([count])
        first = try list([count])
        second = try list([count])
        steps = try list([])
        for gradient in gradients.tensors { try check("fill", ptb_fill_normal(gradient.handle, 0, 1, 1)) }
    }

    /// Lends the memory of the parameters and their gradients, so that another step can be timed on the very same:
    /// where memory lies decides its speed by tens of percent.
    public func withMemory<Result>(
        _ body: (_ parameters: TensorList.Views, _ gradients: TensorList.Views) throws -> Result
    ) throws -> Result {
        try parameters.withParameterViews { parameters in
            try gradients.withParameterViews { gradients in try body(parameters, gradients) }
        }
    }

    /// `torch.optim.Adam(fused=True).step()`.
    public func adam(learningRate: Double = 1e-3) throws {
        try parameters.withHandles { p, count in
            try gradients.withHandles { g, _ in
                try first.withHandles { m, _ in
                    try second.withHandles { v, _ in
                        try steps.withHandles { t, _ in
                            try check("adam", ptb_peer_adam(p, g, m, v, t, count, learningRate))
                        }
                    }
                }
            }
        }
    }

    /// `torch.optim.Adam(foreach=True).step()`.
    public func foreachAdam(learningRate: Double = 1e-3) throws {
        foreachSteps += 1
        try parameters.withHandles { p, count in
            try gradients.withHandles { g, _ in
                try first.withHandles { m, _ in
                    try second.withHandles { v, _ in
                        try check(
                            "foreachAdam",
                            ptb_peer_adam_foreach(p, g, m, v, count, foreachSteps, learningRate))
                    }
                }
            }
        }
    }

    /// `torch.optim.SGD(fused=True).step()`.
    public func sgd(learningRate: Double = 1e-3) throws {
        try parameters.withHandles { p, count in
            try gradients.withHandles { g, _ in
                try check("sgd", ptb_peer_sgd(p, g, count, learningRate))
            }
        }
    }

    /// `gradient.add_(torch.randn_like(gradient), alpha=deviation)` for each.
    public func addNoise(deviation: Double = 1e-3) throws {
        for gradient in gradients.tensors {
            try check("addNoise", ptb_peer_add_noise(gradient.handle, deviation))
        }
    }

    /// Reads four arrays of the first parameter's size and writes three of them, as Adam does, with next to no
    /// arithmetic: what the memory allows.
    public func stream(threads: Int) throws {
        try parameters.withParameterViews { p in
            try gradients.withParameterViews { g in
                try first.withParameterViews { m in
                    try second.withParameterViews { v in
                        let count = p[0].count
                        nonisolated(unsafe) let (p, g) = (Self.floats(p[0]), Self.floats(g[0]))
                        nonisolated(unsafe) let (m, v) = (Self.floats(m[0]), Self.floats(v[0]))
                        Threads.parallelFor(threads: threads, count: threads) { thread in
                            let range = count * thread / threads..<count * (thread + 1) / threads
                            for i in range {
                                let x = g[i]
                                m[i] += x
                                v[i] -= x
                                p[i] += x
                            }
                        }
                    }
                }
            }
        }
    }

    private static func floats(_ view: ParameterView) -> UnsafeMutablePointer<Float> {
        view.data.assumingMemoryBound(to: Float.self)
    }
}
