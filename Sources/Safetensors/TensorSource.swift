import Foundation

/// A tensor to be written whose bytes stay where they are until their turn comes.
///
/// A large model is thereby stored without a second copy in memory:
///
/// ```swift
/// let weight = TensorSource(name: "weight", type: .float32, shape: [10, 64]) { write in
///     try parameters.withUnsafeBytes { try write($0) }
/// }
/// try SafetensorsFile.write([weight], metadata: ["step": "100"], to: url)
/// ```
public struct TensorSource {
    public var name: String
    public var type: TensorType
    public var shape: [Int]
    /// Calls its argument with the bytes, once or in several pieces, in order.
    public var bytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// Creates a source from a closure that hands over the bytes when they are asked for.
    public init(
        name: String, type: TensorType, shape: [Int],
        bytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    /// Creates a source from an entry.
    public init(_ entry: TensorEntry) {
        self.init(name: entry.name, type: entry.type, shape: entry.shape) { write in
            try entry.withUnsafeBytes { try write($0) }
        }
    }
}
