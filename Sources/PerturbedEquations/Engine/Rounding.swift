import CPerturbationKernels

/// How an updated θ of type bfloat16 is rounded: it is computed in float32, and only every 65,536th of those is a
/// bfloat16.
///
/// A bfloat16 has 8 significant bits: a change of θ below |θ|/512 is lost in rounding to nearest, always, and
/// training stalls once η·D is that small. Stochastic rounding makes it happen with the right probability instead:
/// E[round(x)] = x. float32 and float64 parameters are not rounded; for them this has no effect.
///
/// Source: Gupta et al. 2015, Deep Learning with Limited Numerical Precision; for bfloat16 weights: Zamirai et al.
/// 2020, Revisiting BFloat16 Training.
public enum Rounding: String, Sendable, Codable, CaseIterable {
    /// To one of the two neighbours, the nearer one more often: up with probability (x − below)/(above − below). The
    /// randomness is addressed noise (term 4093), the same bits on any thread count, block split and SIMD level.
    /// A finite x beyond the largest bfloat16 becomes that one.
    case stochastic
    /// To the nearer neighbour, of two equally near ones to the even; beyond the largest finite value to ±∞.
    case nearest
}

extension NoiseStream {
    /// The term number of stochastic rounding. Perturbations have smaller ones.
    static let roundingTerm = 4093
}

extension PerturbedEquation {
    /// Refuses a choice of rounding where nothing is rounded. (`stochastic` is what is written where none was made.)
    package func requireUseOfRounding(for parameters: [ParameterSpec]) throws {
        guard rounding != .stochastic, !parameters.contains(where: { $0.scalar == .bfloat16 }) else { return }
        throw ConfigurationError(
            "is \(rounding.rawValue), but no parameter is bfloat16, so that nothing is rounded; allowed: with bfloat16 "
                + "weights (training.weights: bfloat16), or left out", path: "rounding")
    }
}

extension Rounding {
    /// Rounds `count` float32 numbers to bfloat16; `stream` stands at the first.
    func round(
        _ values: UnsafeRawPointer, count: Int, into output: UnsafeMutableRawPointer, _ stream: NoiseStream
    ) {
        let kernels = BFloat16.kernels(stream.level)
        switch self {
        case .nearest: kernels.pointee.round_nearest(output, values, count)
        case .stochastic:
            withUnsafePointer(to: stream.address) {
                kernels.pointee.round_stochastic(output, values, count, $0, stream.firstElement)
            }
        }
    }
}
