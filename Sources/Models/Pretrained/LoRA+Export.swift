import Foundation
import Safetensors
import TorchNN

extension LoRA {
    /// Writes adapters as PEFT does: `adapter_config.json` and `adapter_model.safetensors`, for
    /// `PeftModel.from_pretrained(base, directory)`.
    ///
    /// - Parameters:
    ///   - adapters: `h.0.attn.c_attn.lora_A.weight` and so on.
    ///   - base: the directory of the model that they are for.
    func export(_ adapters: [NamedTensor], base: URL, to directory: URL) throws {
        let settings: [String: Any] = [
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base.path,
            "r": rank, "lora_alpha": alpha, "lora_dropout": dropout, "target_modules": targets,
            "bias": "none",
            // GPT-2's weights lie the other way round.
            "fan_in_fan_out": true, "inference_mode": true, "init_lora_weights": true,
        ]
        try AtomicFile.write(
            try JSONSerialization.data(
                withJSONObject: settings, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]),
            to: directory.appendingPathComponent("adapter_config.json"))
        try SafetensorsFile.write(
            adapters.map { TensorSource("base_model.model.transformer.\($0.name)", $0.tensor) },
            metadata: ["format": "pt"], to: directory.appendingPathComponent("adapter_model.safetensors"))
    }
}
