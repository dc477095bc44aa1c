import Torch

/// How a layer's weights are drawn.
///
/// With n_in and n_out the numbers of inputs and outputs that one weight takes part in (times the kernel's
/// area, for a convolution):
///
/// | Case | Distribution | Source |
/// |---|---|---|
/// | `standard` | U(−b, b), b = 1/√n_in, biases too | PyTorch's default |
/// | `kaimingUniform` | U(−b, b), b = √(6/n_in) | He 2015, for ReLU |
/// | `kaimingNormal` | N(0, 2/n_in) | He 2015, for ReLU |
/// | `xavierUniform` | U(−b, b), b = √(6/(n_in + n_out)) | Glorot 2010 |
/// | `xavierNormal` | N(0, 2/(n_in + n_out)) | Glorot 2010 |
/// | `normal(deviation)` | N(0, deviation²) | |
/// | `uniform(bound)` | U(−bound, bound) | |
/// | `constant(value)` | all equal | |
/// | `orthogonal(gain)` | W = gain·Q, Q drawn evenly from the matrices with orthonormal rows or columns, whichever are fewer | Saxe 2014 |
///
/// Biases are 0 in every case but `standard`.
public enum Initialiser: Sendable, Hashable {
    case standard
    case kaimingUniform
    case kaimingNormal
    case xavierUniform
    case xavierNormal
    case normal(deviation: Double)
    case uniform(bound: Double)
    case constant(Double)
    case orthogonal(gain: Double)

    /// The initialisers that have a name alone, as configurations write them.
    public static let named: [(name: String, initialiser: Initialiser)] = [
        ("standard", .standard), ("kaimingUniform", .kaimingUniform), ("kaimingNormal", .kaimingNormal),
        ("xavierUniform", .xavierUniform), ("xavierNormal", .xavierNormal), ("zero", .constant(0)),
    ]

    /// Overwrites a weight [out, in, …]. The draws depend on `seed` alone.
    public func fill(_ weight: Tensor, seed: UInt64) throws(TorchError) {
        let (inputs, outputs) = Self.fan(weight)
        switch self {
        case .standard: try fillEvenly(weight, 1 / inputs.squareRoot(), seed)
        case .kaimingUniform: try fillEvenly(weight, (6 / inputs).squareRoot(), seed)
        case .kaimingNormal: try weight.fillNormal(mean: 0, deviation: (2 / inputs).squareRoot(), seed: seed)
        case .xavierUniform: try fillEvenly(weight, (6 / (inputs + outputs)).squareRoot(), seed)
        case .xavierNormal:
            try weight.fillNormal(mean: 0, deviation: (2 / (inputs + outputs)).squareRoot(), seed: seed)
        case .normal(let deviation): try weight.fillNormal(mean: 0, deviation: deviation, seed: seed)
        case .uniform(let bound): try fillEvenly(weight, bound, seed)
        case .constant(let value): withoutGradients { weight.fillInPlace(value) }
        case .orthogonal(let gain): try Orthogonal.fill(weight, gain: gain, seed: seed)
        }
    }

    /// A new bias for a weight.
    func bias(for weight: Tensor, count: Int, seed: UInt64, dtype: DType) throws(TorchError) -> Tensor {
        let bias = try Tensor.zeros([count], dtype: dtype)
        if self == .standard { try fillEvenly(bias, 1 / Self.fan(weight).inputs.squareRoot(), seed) }
        return bias
    }

    private func fillEvenly(_ tensor: Tensor, _ bound: Double, _ seed: UInt64) throws(TorchError) {
        try tensor.fillUniform(low: -bound, high: bound, seed: seed)
    }

    /// n_in and n_out. Traps for a tensor of fewer than two dimensions, which has neither.
    private static func fan(_ weight: Tensor) -> (inputs: Double, outputs: Double) {
        let shape = weight.shape
        demand(shape.count >= 2, "an initialiser needs a weight [out, in, …], not \(shape)")
        let area = shape.dropFirst(2).reduce(1, *)
        return (Double(shape[1] * area), Double(shape[0] * area))
    }
}

extension Initialiser: Codable {
    private enum Key: String, CodingKey { case normal, uniform, constant, orthogonal }

    /// A name (`kaimingNormal`), or `{normal: deviation}`, `{uniform: bound}`, `{constant: value}`, `{orthogonal: gain}`.
    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard let match = Self.named.first(where: { $0.name == name }) else {
                let allowed = Self.named.map(\.name).joined(separator: ", ")
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "there is no initialiser '\(name)'; allowed: \(allowed), "
                            + "{normal: deviation}, {uniform: bound}, {constant: value}, {orthogonal: gain}"))
            }
            self = match.initialiser
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        func positive(_ key: Key) throws -> Double? {
            guard let value = try container.decodeIfPresent(Double.self, forKey: key) else { return nil }
            guard value > 0, value.isFinite else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container,
                    debugDescription: "the initialiser's \(key.rawValue) is \(value); allowed: above 0")
            }
            return value
        }
        let normal = try positive(.normal)
        let uniform = try positive(.uniform)
        let constant = try container.decodeIfPresent(Double.self, forKey: .constant)
        let orthogonal = try positive(.orthogonal)
        switch (normal, uniform, constant, orthogonal) {
        case (let deviation?, nil, nil, nil): self = .normal(deviation: deviation)
        case (nil, let bound?, nil, nil): self = .uniform(bound: bound)
        case (nil, nil, let value?, nil): self = .constant(value)
        case (nil, nil, nil, let gain?): self = .orthogonal(gain: gain)
        default:
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription:
                        "an initialiser has exactly one of: normal, uniform, constant, orthogonal"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let match = Self.named.first(where: { $0.initialiser == self }) {
            var container = encoder.singleValueContainer()
            return try container.encode(match.name)
        }
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .normal(let deviation): try container.encode(deviation, forKey: .normal)
        case .uniform(let bound): try container.encode(bound, forKey: .uniform)
        case .constant(let value): try container.encode(value, forKey: .constant)
        case .orthogonal(let gain): try container.encode(gain, forKey: .orthogonal)
        case .standard, .kaimingUniform, .kaimingNormal, .xavierUniform, .xavierNormal: break  // named, above
        }
    }
}
