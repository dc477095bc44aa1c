import CPerturbationKernels

/// A number of the type bfloat16: the upper half of a `Float`. A type to store parameters in; arithmetic is done in
/// `Float`.
///
/// Range as `Float`, 8 significant bits: the spacing between 1 and 2 is 1/128.
public struct BFloat16: Sendable, Hashable, BitwiseCopyable {
    public var bitPattern: UInt16

    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// The nearest bfloat16, the even one of two equally near; beyond the largest finite one ±∞. A NaN stays a NaN.
    public init(_ value: Float) {
        var value = value
        bitPattern = 0
        Self.kernels(.baseline).pointee.round_nearest(&bitPattern, &value, 1)
    }

    static func kernels(_ level: SIMDLevel) -> UnsafePointer<pk_bfloat16> {
        pk_kernels_bf16(level.value)!
    }
}

extension Float {
    /// The same number.
    public init(_ value: BFloat16) {
        self.init(bitPattern: UInt32(value.bitPattern) << 16)
    }
}
