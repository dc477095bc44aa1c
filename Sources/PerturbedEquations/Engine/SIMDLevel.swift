import CPerturbationKernels

/// A set of vector instructions. Every level gives the same bits; a higher one is faster.
public enum SIMDLevel: String, Sendable, CaseIterable, Comparable {
    /// What every machine of the architecture has: SSE2 on x86-64, NEON on arm64.
    case baseline
    /// x86-64-v3: AVX2 and FMA.
    case avx2
    /// x86-64-v4: AVX-512.
    case avx512

    /// The highest level that this machine supports.
    public static var highest: SIMDLevel {
        allCases.first { $0.value == pk_highest_level() } ?? .baseline
    }

    /// The levels that this machine supports, lowest first.
    public static var supported: [SIMDLevel] {
        allCases.filter { $0 <= highest }
    }

    public static func < (a: SIMDLevel, b: SIMDLevel) -> Bool {
        a.value.rawValue < b.value.rawValue
    }

    var value: pk_level {
        switch self {
        case .baseline: PK_BASELINE
        case .avx2: PK_X86_64_V3
        case .avx512: PK_X86_64_V4
        }
    }
}
