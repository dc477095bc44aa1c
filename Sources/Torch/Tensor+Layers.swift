import CTorchBridge

/// Height and width.
public struct Extent: Hashable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    public var height: Int
    public var width: Int

    public init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    /// A square.
    public init(integerLiteral value: Int) { self.init(value, value) }

    public var description: String { "\(height)×\(width)" }
}

extension ptb_window {
    fileprivate init(
        kernel: Extent = 1, stride: Extent, padding: Extent, dilation: Extent = 1, groups: Int = 1,
        countPadding: Bool = true, roundUp: Bool = false
    ) {
        self.init(
            kernel_height: kernel.height, kernel_width: kernel.width, stride_height: stride.height,
            stride_width: stride.width, padding_height: padding.height, padding_width: padding.width,
            dilation_height: dilation.height, dilation_width: dilation.width, groups: groups,
            count_padding: countPadding, round_up: roundUp)
    }
}

// The arithmetic of layers, as functions of all their inputs. `TorchNN` has the layers that own weights.
//
// bfloat16 weights beside a float32 input are widened for the operation alone, so that it is the one in float32 on the same
// numbers; the gradient of a weight has the weight's type.
extension Tensor {
    /// x·Wᵀ + b, for x [… in], W [out, in], b [out].
    public func linear(_ weight: Tensor, _ bias: Tensor?) -> Tensor {
        result("linear", self, optional: weight, bias) { ptb_linear($0, $1.unsafelyUnwrapped, $2, $3) }
    }

    /// Cross-correlation of x [n, in, h, w] with W [out, in/groups, kh, kw], plus b [out].
    public func conv2d(
        _ weight: Tensor, _ bias: Tensor?, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1,
        groups: Int = 1
    ) -> Tensor {
        let window = ptb_window(stride: stride, padding: padding, dilation: dilation, groups: groups)
        return result("conv2d", self, optional: weight, bias) {
            ptb_conv2d($0, $1.unsafelyUnwrapped, $2, window, $3)
        }
    }

    /// The largest element of each window, over the last two dimensions.
    public func maxPool2d(
        _ kernel: Extent, stride: Extent? = nil, padding: Extent = 0, dilation: Extent = 1,
        roundUp: Bool = false
    ) -> Tensor {
        let window = ptb_window(
            kernel: kernel, stride: stride ?? kernel, padding: padding, dilation: dilation, roundUp: roundUp)
        return result("maxPool2d", self) { ptb_max_pool2d($0, window, $1) }
    }

    /// The mean of each window, over the last two dimensions. `countPadding` divides by the whole window's size.
    public func averagePool2d(
        _ kernel: Extent, stride: Extent? = nil, padding: Extent = 0, countPadding: Bool = true,
        roundUp: Bool = false
    ) -> Tensor {
        let window = ptb_window(
            kernel: kernel, stride: stride ?? kernel, padding: padding, countPadding: countPadding,
            roundUp: roundUp)
        return result("averagePool2d", self) { ptb_average_pool2d($0, window, $1) }
    }

    /// The means of a grid of `size` cells, over the last two dimensions.
    public func adaptiveAveragePool2d(_ size: Extent) -> Tensor {
        result("adaptiveAveragePool2d", self) { ptb_adaptive_average_pool2d($0, size.height, size.width, $1) }
    }

    /// (x − μ)/√(s² + ε)·w + b per channel (dimension 1): μ and s² are the batch's own where `training`, which
    /// also moves the running ones, if given, towards them by `momentum`; the running ones elsewhere.
    public func batchNorm(
        weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?, training: Bool,
        momentum: Double = 0.1, epsilon: Double = 1e-5
    ) -> Tensor {
        withExtendedLifetime((self, weight, bias, runningMean, runningVariance)) {
            var handle: OpaquePointer?
            let status = ptb_batch_norm(
                self.handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle,
                training,
                momentum, epsilon, &handle)
            guard status == 0 else { return failed("batchNorm", status, [self, weight].compactMap { $0 }) }
            return Tensor(adopting: handle.unsafelyUnwrapped)
        }
    }

    /// (x − μ)/√(s² + ε)·w + b over the last dimensions, whose sizes are `shape`.
    public func layerNorm(_ shape: [Int], weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5) -> Tensor {
        result("layerNorm", self, optional: weight, bias) {
            ptb_layer_norm($0, shape, shape.count, $1, $2, epsilon, $3)
        }
    }

    /// The rows of `weight` [words, width] at these int64 indices. The row `padding` gets no gradient.
    public func embedded(in weight: Tensor, padding: Int? = nil) -> Tensor {
        result("embedded", weight, self) { ptb_embedding($0, $1, padding ?? -1, $2) }
    }

    /// Each element becomes 0 with probability `p`, and x/(1 − p) otherwise. The choice depends on `seed` alone.
    public func dropout(_ p: Double, seed: UInt64) -> Tensor {
        result("dropout", self) { ptb_dropout($0, p, seed, $1) }
    }
}
