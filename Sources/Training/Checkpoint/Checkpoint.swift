import Crypto
import Foundation
import Safetensors

/// One moment of a run, from which it goes on with the same bits: a safetensors file with a checksum.
///
/// Tensors are called `model.<key>` (parameters and buffers, PyTorch's state-dict keys) and as the optimizer
/// calls its state; the metadata hold the manifest (JSON), the optimizer's numbers and the SHA-256 of
/// everything. Python reads it with `safetensors.torch.load_file`. Files are replaced atomically, and a file that is not exactly what was
/// written is refused.
public struct Checkpoint: Sendable {
    public let manifest: CheckpointManifest
    /// The tensors, and the optimizer's metadata.
    public let file: SafetensorsFile

    private enum Key {
        static let version = "peo.checkpoint.version"
        static let manifest = "peo.checkpoint.manifest"
        static let checksum = "peo.checkpoint.sha256"
    }

    /// Writes a checkpoint; the file at `url` is the old one or the new one, never a mixture.
    /// - Parameter metadata: more text to store and protect, such as the optimizer's.
    /// - Throws: `FileError`.
    public static func write(
        manifest: CheckpointManifest, tensors: [TensorSource], metadata: [String: String] = [:], to url: URL
    ) throws {
        var all = metadata
        all[Key.version] = "\(manifest.version)"
        all[Key.manifest] = try manifest.encoded()
        all[Key.checksum] = try digest(metadata: all, tensors: tensors)
        try SafetensorsFile.write(tensors, metadata: all, to: url)
    }

    /// Reads a checkpoint and checks every byte.
    /// - Throws: ``CheckpointError`` (`damaged`, `futureVersion`); `FileError` if it cannot be read at all.
    public init(contentsOf url: URL) throws {
        func damaged(_ why: String) -> CheckpointError {
            CheckpointError(.damaged, "the checkpoint \(url.path) is damaged: \(why)")
        }
        do {
            file = try SafetensorsFile(contentsOf: url)
        } catch let error as SafetensorsError {
            throw damaged(error.message.replacingOccurrences(of: "\(url.path): ", with: ""))
        }
        guard let text = file.metadata[Key.manifest], let expected = file.metadata[Key.checksum],
            let version = file.metadata[Key.version].flatMap(Int.init)
        else { throw damaged("it has no manifest or no checksum, so peo did not write it like this") }
        guard version <= CheckpointManifest.currentVersion else {
            throw CheckpointError(
                .futureVersion,
                "the checkpoint \(url.path) has format version \(version), and this peo reads up to version "
                    + "\(CheckpointManifest.currentVersion); use the newer peo that wrote it")
        }
        let found = try Self.digest(metadata: file.metadata, tensors: file.tensors.map(TensorSource.init))
        guard found == expected else {
            throw damaged(
                "its contents have SHA-256 \(found.prefix(16))…, but \(expected.prefix(16))… was written")
        }
        do {
            manifest = try JSON.decoder().decode(CheckpointManifest.self, from: Data(text.utf8))
        } catch {
            throw damaged("its manifest cannot be read: \(error)")
        }
        guard manifest.version == version else {
            throw damaged("its manifest is of version \(manifest.version)")
        }
    }

    /// SHA-256 over the metadata but the checksum itself, and every tensor's name, type, shape and bytes, as
    /// hexadecimal digits.
    private static func digest(metadata: [String: String], tensors: [TensorSource]) throws -> String {
        var hash = SHA256()
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != Key.checksum {
            hash.update(data: Data("\(key.utf8.count) \(key) \(value.utf8.count) \(value)\n".utf8))
        }
        for tensor in tensors {
            hash.update(data: Data("\n\(tensor.name) \(tensor.type.rawValue) \(tensor.shape)\n".utf8))
            try tensor.bytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
