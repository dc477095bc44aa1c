import CPerturbationKernels

/// The scalar types a parameter can have: `Float` and `Double`.
public protocol EquationScalar: BinaryFloatingPoint & Sendable & BitwiseCopyable {
    static var scalarType: ScalarType { get }
    /// The C kernels for this type at a SIMD level.
    static func kernels(_ level: SIMDLevel) -> UnsafePointer<pk_kernels>
}

/// The scalar type of a parameter, as a value.
public enum ScalarType: String, Sendable, Codable, CaseIterable {
    case float32
    case float64

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .float32: 4
        case .float64: 8
        }
    }
}

extension Float: EquationScalar {
    public static var scalarType: ScalarType { .float32 }

    public static func kernels(_ level: SIMDLevel) -> UnsafePointer<pk_kernels> {
        pk_kernels_f32(level.value)!
    }
}

extension Double: EquationScalar {
    public static var scalarType: ScalarType { .float64 }

    public static func kernels(_ level: SIMDLevel) -> UnsafePointer<pk_kernels> {
        pk_kernels_f64(level.value)!
    }
}
