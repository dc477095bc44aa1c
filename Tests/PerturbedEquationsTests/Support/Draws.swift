import CPerturbationKernels
import PerturbedEquations

extension NoiseStream {
    /// The next `count` variates.
    func values<S: EquationScalar>(
        _ count: Int, _ distribution: NoiseDistribution, scale: Double = 1
    ) -> [S] {
        var values = [S](repeating: 0, count: count)
        var span = values.mutableSpan
        fill(&span, with: distribution, scale: scale)
        return values
    }
}

extension NoiseDistribution {
    var moments: [Double] {
        switch self {
        case .normal: Theory.normal
        case .uniform: Theory.uniform
        case .laplace: Theory.laplace
        case .rademacher: Theory.rademacher
        }
    }
}

/// Drop noise straight from the kernel: b/(1−p) − 1.
func dropValues<S: EquationScalar>(
    _ count: Int, probability: Double, seed: UInt64, first: UInt64 = 0, level: SIMDLevel = .highest
) -> [S] {
    var values = [S](repeating: 0, count: count)
    var stream = pk_stream(
        key: (UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)), step: 0, parameter: 0, term: 0)
    values.withUnsafeMutableBufferPointer {
        S.kernels(level).pointee.noise(
            PK_DROP, PK_STORE, $0.baseAddress, nil, count, 1, probability, &stream, first, nil)
    }
    return values
}
