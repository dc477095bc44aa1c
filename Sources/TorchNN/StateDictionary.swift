import Foundation
import Safetensors
import Torch

/// Weights that do not fit a model.
public struct StateDictionaryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name for a kind of failure, for programs to branch on.
    public enum Code: String, Sendable {
        case missingTensor, unexpectedTensor, wrongShape, wrongType
    }

    public let code: Code
    /// Names the file, the tensor, what was found, and what the model needs.
    public let message: String

    public var description: String { message }

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
}

extension TensorType {
    /// The file type of a tensor's elements.
    public init(_ dtype: DType) {
        self =
            switch dtype {
            case .uint8: .uint8
            case .int64: .int64
            case .float32: .float32
            case .float64: .float64
            case .bool: .bool
            case .bfloat16: .bfloat16
            }
    }

    /// The type of a tensor that can hold the elements; nil where Torch has none.
    public var dtype: DType? { DType.allCases.first { TensorType($0) == self } }
}

extension TensorSource {
    /// A tensor to be written to a file, read when its turn comes.
    public init(_ name: String, _ tensor: Tensor) {
        self.init(name: name, type: TensorType(tensor.dtype), shape: tensor.shape) { write in
            try tensor.detached().moved(to: .cpu).contiguous().withUnsafeMutableBytes {
                try write(UnsafeRawBufferPointer($0))
            }
        }
    }
}

extension TensorEntry {
    /// A tensor with a copy of the elements.
    /// - Throws: `StateDictionaryError` for a type that Torch does not have; `TorchError` where there is no memory.
    public func tensor() throws -> Tensor {
        guard let dtype = type.dtype else {
            throw StateDictionaryError(
                code: .wrongType,
                message: "tensor '\(name)' has type \(type.rawValue); allowed: "
                    + DType.allCases.map { TensorType($0).rawValue }.joined(separator: ", "))
        }
        return try withUnsafeBytes { try Tensor(bytes: $0, shape: shape, dtype: dtype) }
    }
}

extension Module {
    /// All weights and buffers, to be written to a safetensors file, with PyTorch's names and order.
    public func stateSources(prefix: String = "") -> [TensorSource] {
        stateTensors.map { TensorSource(prefix + $0.name, $0.tensor) }
    }

    /// Writes all weights and buffers to a file that `safetensors.torch.load_file` reads. Atomic.
    public func saveState(to url: URL, metadata: [String: String] = [:]) throws {
        try SafetensorsFile.write(stateSources(), metadata: metadata, to: url)
    }

    /// Overwrites all weights and buffers with those of a file, such as `safetensors.torch.save_model` writes.
    ///
    /// Everything is checked first: where it throws, nothing has changed. Floating-point types convert.
    /// - Parameter prefix: what the names of this module's tensors begin with in the file; tensors with other
    ///   beginnings are not looked at.
    /// - Throws: `StateDictionaryError` where a tensor is missing, or is none of the model's, or has another
    ///   shape or type.
    public func loadState(from file: SafetensorsFile, prefix: String = "") throws {
        let wanted = stateTensors
        var loaded: [Tensor] = []
        for item in wanted {
            let name = prefix + item.name
            guard let entry = file[name] else {
                throw StateDictionaryError(
                    code: .missingTensor,
                    message:
                        "\(file.name) has no tensor '\(name)', which the model needs with shape \(item.tensor.shape)"
                )
            }
            loaded.append(try entry.values(for: item.tensor, in: file))
        }
        let known = Set(wanted.map { prefix + $0.name })
        if let stranger = file.tensors.first(where: { $0.name.hasPrefix(prefix) && !known.contains($0.name) })
        {
            throw StateDictionaryError(
                code: .unexpectedTensor,
                message:
                    "\(file.name) has a tensor '\(stranger.name)' of shape \(stranger.shape), which the model "
                    + "does not have; the model's are: "
                    + wanted.map { prefix + $0.name }.joined(separator: ", "))
        }
        for (item, tensor) in zip(wanted, loaded) { item.tensor.copy(from: tensor) }
    }
}

extension TensorEntry {
    /// A copy of the elements that can overwrite those of `target`: floating-point types convert.
    /// - Throws: `StateDictionaryError` where the shapes differ, or the types do in kind; `TorchError` where there is no
    ///   memory.
    public func values(for target: Tensor, in file: SafetensorsFile) throws -> Tensor {
        guard shape == target.shape else {
            throw StateDictionaryError(
                code: .wrongShape,
                message: "\(file.name): tensor '\(name)' has shape \(shape), but the model's has "
                    + "\(target.shape)")
        }
        if type == .float16, target.dtype.isFloatingPoint {
            return try Tensor(floats(), shape: shape)
        }
        let wanted = TensorType(target.dtype)
        let source = type.dtype
        guard type == wanted || (source?.isFloatingPoint == true && target.dtype.isFloatingPoint) else {
            throw StateDictionaryError(
                code: .wrongType,
                message:
                    "\(file.name): tensor '\(name)' has type \(type.rawValue), but the model's has "
                    + wanted.rawValue)
        }
        return try tensor()
    }
}
