import PerturbedEquations
import Torch
import TorchNN

/// A direction in the space of a model's weights: a number for each of them.
public struct ParameterVector {
    /// One tensor for each parameter, of its shape, type and device.
    public let parts: [Tensor]

    package init(_ parts: [Tensor]) { self.parts = parts }

    /// All 0.
    /// - Throws: `TorchError` where there is no memory.
    public static func zeros(like parameters: [NamedTensor]) throws -> ParameterVector {
        ParameterVector(
            try parameters.map {
                try Tensor.zeros($0.tensor.shape, dtype: $0.tensor.dtype).moved(to: $0.tensor.device)
            })
    }

    /// Independent numbers of mean 0 and variance 1: a pure function of (key, draw, parameter, element).
    /// - Throws: `TorchError` where there is no memory.
    public static func random(
        like parameters: [NamedTensor], _ distribution: NoiseDistribution, key: NoiseKey, draw: Int = 0
    ) throws -> ParameterVector {
        ParameterVector(
            try parameters.enumerated().map { index, named in
                let tensor = try Tensor.zeros(named.tensor.shape)
                tensor.withUnsafeMutableBytes { bytes in
                    var span = bytes.bindMemory(to: Float.self).mutableSpan
                    NoiseStream(key: key, step: draw, parameter: index, term: 0)
                        .fill(&span, with: distribution)
                }
                return tensor.converted(to: named.tensor.dtype).moved(to: named.tensor.device)
            })
    }

    /// ⟨self, other⟩, in float64.
    public func dot(_ other: ParameterVector) -> Double {
        zip(parts, other.parts).reduce(0) { sum, pair in
            sum + (pair.0.converted(to: .float64) * pair.1.converted(to: .float64)).sum().item()
        }
    }

    /// ‖self‖₂
    public var norm: Double { dot(self).squareRoot() }

    /// self/‖self‖; nil where the norm is 0, or so small that its inverse is no float32: that is a direction of rounding.
    public var normalised: ParameterVector? {
        let norm = norm
        return norm < 1e-30 ? nil : scaled(by: 1 / norm)
    }

    /// factor·self
    public func scaled(by factor: Double) -> ParameterVector {
        ParameterVector(parts.map { $0 * factor })
    }

    /// self + factor·other
    public func adding(_ other: ParameterVector, times factor: Double) -> ParameterVector {
        ParameterVector(zip(parts, other.parts).map { $0 + $1 * factor })
    }
}
