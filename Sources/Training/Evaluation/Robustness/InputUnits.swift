import Datasets
import Torch

/// What a change of an input by 1 means.
///
/// Pixels that are stored as bytes count from the darkest, 0, to the brightest, 1, whatever the data set's scale makes of
/// them for the model; changed ones stay within 0...1. Other numbers count as the model sees them, without bounds.
public struct InputUnits: Sendable {
    public enum Name: String, Codable, Sendable {
        /// Pixels in 0...1.
        case pixels
        /// Numbers as the model sees them.
        case inputs
    }

    public var name: Name { ranges == nil ? .inputs : .pixels }
    /// What the darkest and brightest pixel of each channel are for the model.
    let ranges: [ClosedRange<Float>]?

    /// - Precondition: the examples are numbers.
    public init(_ split: DataSplit, of kind: ExampleKind) {
        let shape = kind.inputShape
        ranges = split.pixelRanges(channels: shape.count == 3 ? shape[0] : 1)
    }

    /// Tensors that broadcast over a batch.
    struct Bounds {
        /// One unit, in the model's numbers.
        var unit: Tensor
        var lowest: Tensor?
        var highest: Tensor?

        /// x within the bounds there are.
        func clamped(_ x: Tensor) -> Tensor {
            guard let lowest, let highest else { return x }
            return x.maximum(lowest).minimum(highest)
        }
    }

    func bounds(on device: Device) throws -> Bounds {
        guard let ranges else { return Bounds(unit: try Tensor.ones([1]).moved(to: device)) }
        let shape = ranges.count == 1 ? [1] : [ranges.count, 1, 1]
        func tensor(_ value: (ClosedRange<Float>) -> Float) throws -> Tensor {
            try Tensor(ranges.map(value), shape: shape).moved(to: device)
        }
        return Bounds(
            unit: try tensor { $0.upperBound - $0.lowerBound }, lowest: try tensor(\.lowerBound),
            highest: try tensor(\.upperBound))
    }
}
