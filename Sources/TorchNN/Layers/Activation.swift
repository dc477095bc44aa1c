import Torch

/// A function of each element.
public enum Activation: String, Module, Sendable, CaseIterable, Codable {
    /// max(x, 0).
    case relu
    /// x·Φ(x), with Φ the normal distribution function.
    case gelu
    case tanh
    /// 1/(1 + e⁻ˣ).
    case sigmoid
    /// x/(1 + e⁻ˣ).
    case silu

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .tanh: x.tanh()
        case .sigmoid: x.sigmoid()
        case .silu: x.silu()
        }
    }
}

/// Makes all dimensions but the batch's one: [n, a, b, …] becomes [n, a·b·…].
public struct Flatten: Module {
    public init() {}

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { x.flattened(from: 1) }
}
