import Foundation
import Safetensors
import Torch
import TorchNN

/// A GPT-2 that came from a directory, and leaves as one.
struct GPT2Network: ExportableModule {
    let model: GPTModel
    let lora: LoRA?
    /// Where it came from.
    let directory: URL
    /// All weights, or with LoRA the adapters alone: the others are in the directory, and so no part of the state.
    let ownParameters: [NamedTensor]
    let ownUnsaved: [NamedTensor]

    init(model: GPTModel, lora: LoRA?, directory: URL) {
        self.model = model
        self.lora = lora
        self.directory = directory
        ownParameters = model.parameters.filter { $0.tensor.requiresGradient }
        ownUnsaved = model.parameters.filter { !$0.tensor.requiresGradient } + model.frozen
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { model.forward(x, context) }

    var exportName: String { "model" }

    /// What goes with the weights, unchanged.
    private static let companions = [
        "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    ]

    /// A directory for `transformers`, in float32; with LoRA the merged weights, and the adapters in `adapter`.
    func export(to url: URL) throws {
        try AtomicDirectory.write(to: url) { place in
            let sources = model.merged().stateTensors.map { item in
                let isHead = item.name.hasPrefix("lm_head.")
                return TensorSource(
                    (isHead ? "" : "transformer.") + item.name, item.tensor.converted(to: .float32))
            }
            // transformers refuses a file that does not say whose it is.
            try SafetensorsFile.write(
                sources, metadata: ["format": "pt"], to: place.appendingPathComponent("model.safetensors"))
            if let lora {
                let adapters = place.appendingPathComponent("adapter")
                guard mkdir(adapters.path, 0o755) == 0 else {
                    throw FileError(path: adapters.path, operation: .create, errorNumber: errno)
                }
                try lora.export(ownParameters, base: directory, to: adapters)
            }
            try AtomicFile.write(try configuration(), to: place.appendingPathComponent("config.json"))
            for name in Self.companions {
                let file = directory.appendingPathComponent(name)
                guard FileManager.default.fileExists(atPath: file.path) else { continue }
                try AtomicFile.write(MappedFile.contents(of: file), to: place.appendingPathComponent(name))
            }
        }
    }

    /// The `config.json`; its type of weights becomes float32 where it was another.
    private func configuration() throws -> Data {
        let url = directory.appendingPathComponent("config.json")
        var values = try JSONSettings(contentsOf: url).values
        let others = ["torch_dtype", "dtype"].filter { values[$0].map { "\($0)" != "float32" } ?? false }
        guard !others.isEmpty else { return try MappedFile.contents(of: url) }
        for key in others { values[key] = "float32" }
        return try JSONSerialization.data(
            withJSONObject: values, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }
}
