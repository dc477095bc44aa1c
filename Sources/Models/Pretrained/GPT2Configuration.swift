import Foundation
import TorchNN

/// What the `config.json` of a GPT-2 directory says, with the defaults of Hugging Face's `GPT2Config`.
package struct GPT2Configuration {
    package let shape: GPTShape
    /// The tokens that end a text.
    let endOfText: [Int]

    /// - Throws: `ModelError` naming the file, the key, the value and what is allowed; `FileError`.
    package init(contentsOf url: URL) throws {
        let file = try JSONSettings(contentsOf: url)
        let type = try file.text("model_type") ?? "missing"
        guard type == "gpt2" else { throw file.refuse("model_type", type, "gpt2") }
        for (key, wanted) in [
            ("scale_attn_weights", true), ("scale_attn_by_inverse_layer_idx", false),
            ("add_cross_attention", false),
        ] {
            let value = try file.flag(key, default: wanted)
            guard value == wanted else { throw file.refuse(key, value, "\(wanted)") }
        }
        if let quantised = file.values["quantization_config"] {
            throw file.refuse("quantization_config", quantised, "none: weights that are numbers")
        }
        let width = try file.size("n_embd") ?? 768
        var shape = GPTShape(
            vocabulary: try file.size("vocab_size") ?? 50257, context: try file.size("n_positions") ?? 1024,
            width: width, layers: try file.size("n_layer") ?? 12, heads: try file.size("n_head") ?? 12,
            hidden: try file.size("n_inner"))
        guard width.isMultiple(of: shape.heads) else {
            throw file.refuse("n_head", shape.heads, "a divisor of n_embd, which is \(width)")
        }
        shape.function = try Self.function(file)
        shape.epsilon = try file.number("layer_norm_epsilon", default: 1e-5, in: 0..<1)
        shape.embeddingDropout = try file.number("embd_pdrop", default: 0.1, in: 0..<1)
        shape.attentionDropout = try file.number("attn_pdrop", default: 0.1, in: 0..<1)
        shape.residualDropout = try file.number("resid_pdrop", default: 0.1, in: 0..<1)
        shape.tiesHead = try file.flag("tie_word_embeddings", default: true)
        self.shape = shape
        endOfText = try file.tokens("eos_token_id") ?? []
    }

    private static func function(_ file: JSONSettings) throws(ModelError) -> GPTShape.HiddenFunction {
        let name = try file.text("activation_function") ?? "gelu_new"
        switch name {
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": return .tanhGELU
        case "swish": return .named(.silu)
        default:
            guard let function = Activation(rawValue: name) else {
                throw file.refuse(
                    "activation_function", name,
                    "gelu_new, gelu_pytorch_tanh, gelu_fast, swish, "
                        + Activation.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return .named(function)
        }
    }
}
