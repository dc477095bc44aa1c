import Torch

/// The largest element of each window of an image.
public struct MaxPool2d: Module {
    public var kernel: Extent
    public var stride: Extent
    public var padding: Extent
    public var dilation: Extent
    /// Keeps a last window that does not fit whole (PyTorch's `ceil_mode`).
    public var roundUp: Bool

    /// - Parameter stride: the kernel's size where nil.
    public init(
        _ kernel: Extent, stride: Extent? = nil, padding: Extent = 0, dilation: Extent = 1,
        roundUp: Bool = false
    ) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
        self.dilation = dilation
        self.roundUp = roundUp
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.maxPool2d(kernel, stride: stride, padding: padding, dilation: dilation, roundUp: roundUp)
    }
}

/// The mean of each window of an image.
public struct AvgPool2d: Module {
    public var kernel: Extent
    public var stride: Extent
    public var padding: Extent
    /// Whether the zeros of the padding count as elements of the window.
    public var countPadding: Bool
    /// Keeps a last window that does not fit whole (PyTorch's `ceil_mode`).
    public var roundUp: Bool

    /// - Parameter stride: the kernel's size where nil.
    public init(
        _ kernel: Extent, stride: Extent? = nil, padding: Extent = 0, countPadding: Bool = true,
        roundUp: Bool = false
    ) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
        self.countPadding = countPadding
        self.roundUp = roundUp
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.averagePool2d(
            kernel, stride: stride, padding: padding, countPadding: countPadding, roundUp: roundUp)
    }
}

/// The means of a grid of `size` cells of an image of any size.
public struct AdaptiveAvgPool2d: Module {
    public var size: Extent

    public init(_ size: Extent) { self.size = size }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { x.adaptiveAveragePool2d(size) }
}
