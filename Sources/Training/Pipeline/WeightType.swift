import Torch

/// The type in which a run keeps its weights.
public enum WeightType: String, Codable, Sendable, CaseIterable {
    case float32
    /// Half the memory: weights, gradients and checkpoints are bfloat16. The layers widen a weight where they use it, so that
    /// forward pass, loss and evaluation are float32 (with `precision: bfloat16` matrix products and convolutions take the
    /// weights as they are); the rule's state and its arithmetic are float32, and each updated weight is rounded, by the
    /// equation's `rounding`.
    case bfloat16

    var dtype: DType {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}
