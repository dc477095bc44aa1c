import Crypto
import Foundation
import Safetensors
import Torch
import TorchNN

/// The weights of a directory as Hugging Face publishes it: `model.safetensors`, or the parts that
/// `model.safetensors.index.json` names.
struct PretrainedWeights {
    private let directory: URL
    private let files: [SafetensorsFile]

    /// - Throws: `FileError`; `SafetensorsError`; `ModelError` for an index that names no files.
    init(directory: URL) throws {
        self.directory = directory
        files = try Self.urls(in: directory).map { try SafetensorsFile(contentsOf: $0) }
    }

    /// The files, in the order of their names.
    private static func urls(in directory: URL) throws -> [URL] {
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: directory.appendingPathComponent(name).path)
        }
        let whole = directory.appendingPathComponent("model.safetensors")
        let index = directory.appendingPathComponent("model.safetensors.index.json")
        if !has("model.safetensors"), has("model.safetensors.index.json") {
            let settings = try JSONSettings(contentsOf: index)
            guard let map = settings.values["weight_map"] as? [String: String], !map.isEmpty,
                map.values.allSatisfy({ !$0.isEmpty && !$0.contains("/") })
            else {
                throw settings.refuse(
                    "weight_map", settings.values["weight_map"] ?? "missing",
                    "each tensor's file, in the same directory")
            }
            return Set(map.values).sorted().map { directory.appendingPathComponent($0) }
        }
        if !has("model.safetensors"), has("pytorch_model.bin") {
            throw ModelError(
                code: .file,
                message:
                    "\(directory.path) has pytorch_model.bin, which may hold code; allowed: model.safetensors "
                    + "(transformers writes it: model.save_pretrained(directory))")
        }
        return [whole]
    }

    /// Reads the tensors of GPT-2, whose names may begin with `transformer.`, into those of a model. Floating-point types
    /// convert; the attention's masks, which are no weights, are passed over.
    ///
    /// - Throws: `ModelError` where a tensor is missing or has another shape, naming the file and the tensor;
    ///   `StateDictionaryError` for a type that is no number.
    func load(into targets: [NamedTensor]) throws {
        let place = files.count == 1 ? files[0].name : directory.path
        var entries: [String: (entry: TensorEntry, file: SafetensorsFile)] = [:]
        for file in files {
            for entry in file.tensors {
                let prefix = "transformer."
                let name =
                    entry.name.hasPrefix(prefix) ? String(entry.name.dropFirst(prefix.count)) : entry.name
                guard entries.updateValue((entry, file), forKey: name) == nil else {
                    throw ModelError(code: .file, message: "\(place): there are two tensors '\(name)'")
                }
            }
        }
        // Everything is checked before anything changes.
        for target in targets {
            guard let (entry, file) = entries[target.name] else {
                throw ModelError(
                    code: .file,
                    message:
                        "\(place) has no tensor '\(target.name)' (or 'transformer.\(target.name)'), which config.json asks "
                        + "for with shape \(target.tensor.shape)")
            }
            guard entry.shape == target.tensor.shape else {
                throw ModelError(
                    code: .file,
                    message:
                        "\(file.name): tensor '\(entry.name)' has shape \(entry.shape), but config.json asks for "
                        + "\(target.tensor.shape)")
            }
        }
        let known = Set(targets.map(\.name))
        let stranger = entries.keys.filter { !known.contains($0) && !Self.isNoWeight($0) }.min()
        if let stranger {
            throw ModelError(
                code: .file,
                message:
                    "\(place) has a tensor '\(stranger)' of shape \(entries[stranger]!.entry.shape), for which the "
                    + "model of config.json has no place; allowed: the weights of GPT2LMHeadModel or GPT2Model"
            )
        }
        for target in targets {
            let (entry, file) = entries[target.name]!
            target.tensor.copy(from: try entry.values(for: target.tensor, in: file))
        }
    }

    /// Masks that old files hold; and the head, where it is the embedding.
    private static func isNoWeight(_ name: String) -> Bool {
        name.hasSuffix(".attn.bias") || name.hasSuffix(".attn.masked_bias") || name == "lm_head.weight"
    }

    /// SHA-256 over config.json and the weights' files, as hexadecimal digits.
    static func checksum(of directory: URL) throws -> String {
        var hash = SHA256()
        for url in try [directory.appendingPathComponent("config.json")] + urls(in: directory) {
            let data = try MappedFile.contents(of: url)
            hash.update(data: Data("\(url.lastPathComponent) \(data.count)\n".utf8))
            hash.update(data: data)
        }
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
