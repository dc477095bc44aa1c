import Foundation
import PerturbedEquations
import Torch
import TorchNN

/// How a direction in weight space is drawn and scaled.
///
/// | Name | d, from ξ ~ N(0, 1) |
/// |---|---|
/// | `random` | ξ·‖θ‖/‖ξ‖, all weights as one vector |
/// | `filterNormalised` | for each filter f: ξ_f·‖θ_f‖/‖ξ_f‖; 0 for biases and the weights of normalisation |
///
/// A filter is one part of a parameter along its first dimension: the weights into one unit or one channel. Parameters of
/// fewer than two dimensions stay where they are. With filter normalisation a slice does not depend on how a network with
/// ReLUs spreads its scale over its layers, so that slices of different networks can be compared.
///
/// Source: Li, Xu, Taylor, Studer and Goldstein 2018, Visualizing the Loss Landscape of Neural Nets.
public enum SliceDirection: String, Codable, Sendable, CaseIterable {
    case random, filterNormalised

    /// - Parameter draw: tells several directions apart.
    /// - Throws: `TorchError` where there is no memory.
    public func vector(at parameters: [NamedTensor], key: NoiseKey, draw: Int = 0) throws -> ParameterVector {
        let noise = try ParameterVector.random(
            like: parameters, .normal, key: key.derived("slice").derived(rawValue), draw: draw)
        switch self {
        case .random:
            let theta = ParameterVector(parameters.map { $0.tensor.detached() })
            return noise.scaled(by: theta.norm / noise.norm)
        case .filterNormalised:
            return ParameterVector(
                zip(noise.parts, parameters).map { noise, named in
                    let theta = named.tensor.detached()
                    guard theta.rank >= 2 else { return noise * 0 }
                    func norms(_ tensor: Tensor) -> Tensor {
                        tensor.flattened(from: 1).norm(along: 1)
                            .reshaped([tensor.size(0)] + [Int](repeating: 1, count: theta.rank - 1))
                    }
                    return noise * (norms(theta) / norms(noise))
                })
        }
    }
}

/// The loss along a line through θ: L(θ + α·d).
public struct LossSlice: Codable, Sendable, Equatable {
    public var direction: SliceDirection
    /// α, evenly spaced over −span...span; the middle one is 0.
    public var positions: [Double]
    public var losses: [Double]

    /// - Parameters:
    ///   - points: an odd number, ≥ 3, so that θ is one of them.
    ///   - span: the largest α, > 0, and a float32: at 1 weights and move are of one size.
    /// - Throws: `TorchError`; ``TrainingStopped`` where a stop was asked for.
    public static func measure(
        _ surface: LossSurface, _ direction: SliceDirection, points: Int = 21, span: Double = 1, key: NoiseKey
    ) throws -> LossSlice {
        let d = try direction.vector(at: surface.parameters, key: key)
        let positions = Self.positions(points, span)
        return LossSlice(
            direction: direction, positions: positions,
            losses: try positions.map { position in
                try surface.displaced(by: [(d, position)]) { try surface.loss() }
            })
    }

    static func positions(_ points: Int, _ span: Double) -> [Double] {
        precondition(points >= 3 && !points.isMultiple(of: 2))
        precondition(span > 0 && span <= Double(Float.greatestFiniteMagnitude))
        let half = points / 2
        return (-half...half).map { Double($0) / Double(half) * span }
    }
}

/// The loss on a plane through θ: L(θ + α·a + β·b), for two directions.
public struct LossGrid: Codable, Sendable, Equatable {
    public var direction: SliceDirection
    /// α and β, as in ``LossSlice``.
    public var positions: [Double]
    /// A row for each α, in it a number for each β.
    public var losses: [[Double]]

    /// - Parameters:
    ///   - points: along each direction, an odd number, ≥ 3.
    ///   - span: the largest α and β, > 0.
    /// - Throws: `TorchError`; ``TrainingStopped`` where a stop was asked for.
    public static func measure(
        _ surface: LossSurface, _ direction: SliceDirection, points: Int = 11, span: Double = 1, key: NoiseKey
    ) throws -> LossGrid {
        // Those of a slice and one more.
        let (a, b) = (
            try direction.vector(at: surface.parameters, key: key),
            try direction.vector(at: surface.parameters, key: key, draw: 1)
        )
        let positions = LossSlice.positions(points, span)
        return LossGrid(
            direction: direction, positions: positions,
            losses: try positions.map { alpha in
                try positions.map { beta in
                    try surface.displaced(by: [(a, alpha), (b, beta)]) { try surface.loss() }
                }
            })
    }
}
