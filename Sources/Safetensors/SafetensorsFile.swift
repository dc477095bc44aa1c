import Foundation

/// The contents of a safetensors file: named tensors in order, and string metadata.
///
/// The format is eight bytes of header length (little-endian), a JSON header, and the tensors' bytes
/// without gaps. It is what PyTorch, JAX and Hugging Face tools read and write, and it holds no code.
///
/// ```swift
/// let file = try SafetensorsFile(contentsOf: url)
/// let weight = try file.tensor("fc.weight").floats()
/// ```
///
/// Reading is a constant number of passes over the header; tensors are views of the mapped file.
/// Source: Hugging Face, *safetensors* (format description in its README).
public struct SafetensorsFile: Sendable {
    /// The greatest header length that is read, in bytes, as in the reference implementation.
    public static let maximumHeaderLength = 100_000_000

    /// The tensors, in the order of the header.
    public let tensors: [TensorEntry]
    /// Free text by key, such as a format version.
    public let metadata: [String: String]
    /// What errors call this file: its path, or what `init(data:named:)` was told.
    public let name: String
    private let positions: [String: Int]

    /// Collects tensors to write.
    ///
    /// - Throws: ``SafetensorsError`` if two tensors have the same name, or one has the reserved name
    ///   `__metadata__`.
    public init(tensors: [TensorEntry], metadata: [String: String] = [:]) throws {
        try self.init(tensors: tensors, metadata: metadata, name: "safetensors")
    }

    /// Maps and checks a file.
    ///
    /// - Throws: ``FileError`` if it cannot be read, ``SafetensorsError`` if it is not well-formed.
    public init(contentsOf url: URL) throws {
        try self.init(data: try MappedFile.contents(of: url), named: url.path)
    }

    /// Checks contents that are in memory already; `name` is what errors call them.
    ///
    /// - Throws: ``SafetensorsError`` if they are not well-formed.
    public init(data: Data, named name: String = "safetensors data") throws {
        do {
            let (tensors, metadata) = try Self.decode(data)
            try self.init(tensors: tensors, metadata: metadata, name: name)
        } catch let error as SafetensorsError {
            throw SafetensorsError(error.code, "\(name): \(error.message)")
        }
    }

    private init(tensors: [TensorEntry], metadata: [String: String], name: String) throws {
        self.tensors = tensors
        self.metadata = metadata
        self.name = name
        var positions: [String: Int] = [:]
        for (position, tensor) in tensors.enumerated() {
            try Self.check(
                name: tensor.name, isNew: positions.updateValue(position, forKey: tensor.name) == nil)
        }
        self.positions = positions
    }

    /// The tensor of that name, or `nil`.
    public subscript(name: String) -> TensorEntry? {
        positions[name].map { tensors[$0] }
    }

    /// The tensor of that name, which must exist and have the given type and shape where they are given.
    ///
    /// - Throws: ``SafetensorsError``, naming the file, the tensor, and what was found and expected.
    public func tensor(
        _ name: String, type: TensorType? = nil, shape: [Int]? = nil
    ) throws -> TensorEntry {
        guard let tensor = self[name] else {
            let present = tensors.prefix(8).map { "'\($0.name)'" }.joined(separator: ", ")
            let more = tensors.count > 8 ? ", … (\(tensors.count) in all)" : ""
            throw SafetensorsError(.name, "\(self.name): no tensor '\(name)'; it holds \(present)\(more)")
        }
        if let type, tensor.type != type {
            throw SafetensorsError(
                .type,
                "\(self.name): tensor '\(name)' has element type \(tensor.type.rawValue); expected \(type.rawValue)"
            )
        }
        if let shape, tensor.shape != shape {
            throw SafetensorsError(
                .shape, "\(self.name): tensor '\(name)' has shape \(tensor.shape); expected \(shape)")
        }
        return tensor
    }

    /// Refuses a name that is reserved or taken.
    static func check(name: String, isNew: Bool) throws {
        guard name != "__metadata__" else {
            throw SafetensorsError(.name, "a tensor cannot be named '__metadata__', which is reserved")
        }
        guard isNew else { throw SafetensorsError(.name, "tensor '\(name)' is given twice") }
    }
}
