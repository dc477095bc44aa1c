import Torch
import TorchNN

/// The arithmetic of the forward and backward passes in training. The update and evaluation are float32 in every case; what
/// weights and gradients are ``WeightType`` says.
public enum Precision: String, Codable, Sendable, CaseIterable {
    case float32
    /// Matrix products and convolutions on bfloat16 operands (Micikevicius and others 2018, Mixed Precision Training);
    /// the loss is taken of scores in float32. No loss scaling is needed: bfloat16 has float32's range.
    case bfloat16

    /// The model's scores, float32.
    func forward(_ model: any Module, _ inputs: Tensor, _ context: ForwardContext) -> Tensor {
        switch self {
        case .float32: model.forward(inputs, context)
        case .bfloat16:
            withBFloat16Autocast(on: inputs.device) { model.forward(inputs, context) }.converted(to: .float32)
        }
    }
}
