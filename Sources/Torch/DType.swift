import CTorchBridge

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, CaseIterable, CustomStringConvertible {
    case uint8 = 0
    case int64 = 4
    case float32 = 6
    case float64 = 7
    case bool = 11
    case bfloat16 = 15

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .uint8, .bool: 1
        case .bfloat16: 2
        case .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether tensors of this type can have gradients.
    public var isFloatingPoint: Bool { self == .float32 || self == .float64 || self == .bfloat16 }

    /// The name that PyTorch uses, such as `float32`.
    public var description: String {
        switch self {
        case .uint8: "uint8"
        case .int64: "int64"
        case .float32: "float32"
        case .float64: "float64"
        case .bool: "bool"
        case .bfloat16: "bfloat16"
        }
    }
}

/// A Swift type whose arrays go in and out of tensors without conversion.
public protocol TensorElement: BitwiseCopyable {
    /// The tensor type with the same memory layout.
    static var dtype: DType { get }
}

extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Int: TensorElement { public static var dtype: DType { .int64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }
