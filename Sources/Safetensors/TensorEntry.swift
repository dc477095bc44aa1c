import Foundation

/// One named tensor of a file: its type, its shape and its bytes, little-endian and in row-major order.
public struct TensorEntry: Sendable, Equatable {
    public let name: String
    public let type: TensorType
    /// The extents; empty for a scalar.
    public let shape: [Int]
    /// The bytes: `type.size` × the product of `shape`. Of a file that was read, a view and not a copy.
    public let data: Data

    /// Creates an entry from raw bytes.
    ///
    /// - Throws: ``SafetensorsError`` if `data` has not exactly the size that type and shape give.
    public init(name: String, type: TensorType, shape: [Int], data: Data) throws {
        guard type.byteCount(of: shape) == data.count else {
            let wanted =
                type.byteCount(of: shape).map { "\($0) bytes" } ?? "a size that cannot be represented"
            throw SafetensorsError(
                .shape,
                "tensor '\(name)': \(data.count) bytes given, but \(type.rawValue) of shape \(shape) has \(wanted)"
            )
        }
        self.init(name: name, type: type, shape: shape, checked: data)
    }

    init(name: String, type: TensorType, shape: [Int], checked data: Data) {
        self.name = name
        self.type = type
        self.shape = shape
        self.data = data
    }

    /// Creates an entry of type `F32`.
    public init(name: String, shape: [Int], floats: [Float]) throws {
        try self.init(name: name, type: .float32, shape: shape, data: floats.withUnsafeBytes { Data($0) })
    }

    /// Creates an entry of type `F64`.
    public init(name: String, shape: [Int], doubles: [Double]) throws {
        try self.init(name: name, type: .float64, shape: shape, data: doubles.withUnsafeBytes { Data($0) })
    }

    /// Creates an entry of type `I64`.
    public init(name: String, shape: [Int], integers: [Int64]) throws {
        try self.init(name: name, type: .int64, shape: shape, data: integers.withUnsafeBytes { Data($0) })
    }

    /// Creates an entry of type `U8`.
    public init(name: String, shape: [Int], bytes: [UInt8]) throws {
        try self.init(name: name, type: .uint8, shape: shape, data: Data(bytes))
    }

    /// The number of elements; 1 for a scalar.
    public var count: Int { data.count / type.size }

    /// Calls `body` with the bytes, which may start at any address: load with `loadUnaligned`.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try data.withUnsafeBytes(body)
    }

    /// The values of a floating-point tensor (`F16`, `BF16`, `F32` or `F64`), rounded to `Float`.
    ///
    /// - Throws: ``SafetensorsError`` for any other type.
    public func floats() throws -> [Float] {
        switch type {
        case .float32: return elements(Float.self)
        case .float64: return elements(Double.self).map(Float.init)
        case .bfloat16: return elements(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        #if !(os(macOS) && arch(x86_64))
            case .float16: return elements(Float16.self).map(Float.init)
        #endif
        default: throw unexpected("F16, BF16, F32 or F64")
        }
    }

    /// The values of an `F64` or `F32` tensor.
    ///
    /// - Throws: ``SafetensorsError`` for any other type.
    public func doubles() throws -> [Double] {
        switch type {
        case .float64: return elements(Double.self)
        case .float32: return elements(Float.self).map(Double.init)
        default: throw unexpected("F32 or F64")
        }
    }

    /// The values of an `I64`, `I32` or `U8` tensor.
    ///
    /// - Throws: ``SafetensorsError`` for any other type.
    public func integers() throws -> [Int64] {
        switch type {
        case .int64: return elements(Int64.self)
        case .int32: return elements(Int32.self).map(Int64.init)
        case .uint8: return data.map(Int64.init)
        default: throw unexpected("I64, I32 or U8")
        }
    }

    private func elements<Element: BitwiseCopyable>(_: Element.Type) -> [Element] {
        let count = count
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialised in
            data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            initialised = count
        }
    }

    private func unexpected(_ allowed: String) -> SafetensorsError {
        SafetensorsError(
            .type, "tensor '\(name)' has element type \(type.rawValue); allowed here: \(allowed)")
    }
}
