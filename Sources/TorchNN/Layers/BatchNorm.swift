import Torch

/// y = (x − μ)/√(s² + ε)·w + b, per channel.
///
/// In training μ and s² are the batch's own, and the running ones move: r ← (1 − momentum)·r + momentum·new
/// (the unbiased variance), unless the context says that nothing is learnt, or that r is the mean over all batches. In
/// evaluation they are the running ones. Names: `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked`,
/// as `torch.nn.BatchNorm1d` and `BatchNorm2d`. Source: Ioffe and Szegedy 2015, Batch Normalization.
public struct BatchNorm: Module {
    /// What is normalised.
    public enum Input: Sendable {
        /// Vectors [n, channels] or sequences [n, channels, length]: PyTorch's `BatchNorm1d`.
        case vectors
        /// Images [n, channels, h, w]: PyTorch's `BatchNorm2d`.
        case images
    }

    public let input: Input
    public let weight: Tensor
    public let bias: Tensor
    public let runningMean: Tensor
    public let runningVariance: Tensor
    /// How many training batches were seen; int64.
    public let batchesTracked: Tensor
    public let momentum: Double
    public let epsilon: Double

    /// Throws where there is no memory. Traps for channels below 1.
    public init(
        _ channels: Int, _ input: Input, momentum: Double = 0.1, epsilon: Double = 1e-5,
        dtype: DType = .float32
    ) throws(TorchError) {
        demand(channels > 0, "BatchNorm: the channels \(channels) must be positive")
        self.input = input
        weight = try .ones([channels], dtype: dtype).requiringGradient()
        bias = try .zeros([channels], dtype: dtype).requiringGradient()
        runningMean = try .zeros([channels], dtype: dtype)
        runningVariance = try .ones([channels], dtype: dtype)
        batchesTracked = try .zeros([], dtype: .int64)
        self.momentum = momentum
        self.epsilon = epsilon
    }

    public var ownParameters: [NamedTensor] { [NamedTensor("weight", weight), NamedTensor("bias", bias)] }

    public var ownBuffers: [NamedTensor] {
        [
            NamedTensor("running_mean", runningMean), NamedTensor("running_var", runningVariance),
            NamedTensor("num_batches_tracked", batchesTracked),
        ]
    }

    /// Traps in training where a channel has one value only: it has no variance.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let rank = x.rank
        var momentum = momentum
        demand(
            input == .images ? rank == 4 : rank == 2 || rank == 3,
            "BatchNorm: takes \(input == .images ? "[n, channels, h, w]" : "[n, channels] or [n, channels, length]"), not \(x.shape)"
        )
        if context.training {
            demand(
                x.count > x.size(1),
                "BatchNorm: cannot train on one value per channel (\(x.shape)): use batches of two or more")
            if context.learnsStatistics {
                batchesTracked.incrementInPlace()
                if context.averagesStatistics { momentum = 1 / Double(batchesTracked.itemInteger()) }
            }
        }
        let usesRunning = !context.training || context.learnsStatistics
        return x.batchNorm(
            weight: weight, bias: bias, runningMean: usesRunning ? runningMean : nil,
            runningVariance: usesRunning ? runningVariance : nil,
            training: context.training, momentum: momentum, epsilon: epsilon)
    }

    /// Forgets what was learnt: as after `init`. PyTorch's `reset_running_stats`.
    public func resetStatistics() {
        runningMean.fillInPlace(0)
        runningVariance.fillInPlace(1)
        batchesTracked.fillInPlace(0)
    }
}
