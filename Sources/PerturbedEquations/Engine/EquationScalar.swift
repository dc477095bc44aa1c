import CPerturbationKernels

/// The scalar types in which a step computes: `Float` and `Double`. A parameter can also be stored as `BFloat16`.
public protocol EquationScalar: BinaryFloatingPoint & Sendable & BitwiseCopyable {
    static var scalarType: ScalarType { get }
    /// The C kernels for this type at a SIMD level.
    static func kernels(_ level: SIMDLevel) -> UnsafePointer<pk_kernels>
}

/// The scalar type of a parameter, as a value.
public enum ScalarType: String, Sendable, Codable, CaseIterable {
    case float32
    case float64
    /// Stored as bfloat16; each block is widened to float32, computed there, and θ rounded back (see `Rounding`).
    case bfloat16

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .bfloat16: 2
        case .float32: 4
        case .float64: 8
        }
    }

    /// The type of the arithmetic and of the state tensors: float32 for bfloat16 parameters, else the same.
    public var arithmetic: ScalarType {
        switch self {
        case .float32, .bfloat16: .float32
        case .float64: .float64
        }
    }

    /// The largest finite value of the arithmetic.
    var largest: Double {
        switch arithmetic {
        case .float64: .greatestFiniteMagnitude
        default: Double(Float.greatestFiniteMagnitude)
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

/// max |xᵢ|, 0 for no element; NaN where there is one.
package func largestSize<S: EquationScalar>(of elements: UnsafeBufferPointer<S>) -> Double {
    S.kernels(.highest).pointee.largest(elements.baseAddress, elements.count)
}

/// yᵢ ← yᵢ + scale·xᵢ, each by one fused operation.
package func addScaled<S: EquationScalar>(
    _ x: UnsafeBufferPointer<S>, scale: Double, to y: UnsafeMutableBufferPointer<S>
) {
    precondition(x.count == y.count, "\(x.count) numbers are added to \(y.count)")
    S.kernels(.highest).pointee.add_scaled(y.baseAddress, x.baseAddress, x.count, scale)
}

/// Σ xᵢyᵢ, in float64 and in a fixed order.
package func dotProduct<S: EquationScalar>(_ x: UnsafeBufferPointer<S>, _ y: UnsafeBufferPointer<S>) -> Double
{
    precondition(x.count == y.count, "a product of \(x.count) numbers with \(y.count)")
    return S.kernels(.highest).pointee.dot(x.baseAddress, y.baseAddress, x.count)
}
