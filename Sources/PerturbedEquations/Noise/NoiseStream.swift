import CPerturbationKernels

/// The distributions of noise. Each has mean 0 and variance 1.
public enum NoiseDistribution: String, Sendable, Codable, CaseIterable {
    /// N(0, 1), by Box and Muller from two 32-bit words per pair; |ξ| ≤ 6.8.
    case normal
    /// √3·U(−1, 1).
    case uniform
    /// Density ½√2·exp(−√2|x|).
    case laplace
    /// ±1 with equal probability.
    case rademacher

    var value: pk_distribution {
        switch self {
        case .normal: PK_NORMAL
        case .uniform: PK_UNIFORM
        case .laplace: PK_LAPLACE
        case .rademacher: PK_RADEMACHER
        }
    }
}

/// Addressed noise: ξ as a pure function of (key, step, parameter, term, element).
///
/// A stream stands at an element and gives the variates of the elements from there on. The same element
/// has the same variate, to the bit, however the elements are split into calls and whatever the SIMD level.
/// Float64 gets the same variates as float32, widened exactly.
///
/// Address space: 2⁵⁰ elements per parameter, 2³² parameters, 2³² steps, 2¹² terms of 2⁴ draws each. The
/// last terms are not perturbations': 4095 is the rule's own noise, 4094 and 4093 are kept for the engine.
public struct NoiseStream {
    let address: pk_stream
    /// The element at which the stream stands.
    public let firstElement: UInt64
    let level: SIMDLevel
    /// What the engine will need next; touched while noise is computed.
    var prefetch: pk_prefetch?

    /// - Parameters:
    ///   - step: the logical step, 0 …< 2³².
    ///   - parameter: the number of the parameter tensor, 0 …< 2³².
    ///   - term: the number of the term within the perturbation, 0 …< 2¹².
    ///   - draw: tells several draws of one term apart, 0 …< 16.
    ///   - firstElement: where the stream stands.
    ///   - level: the vector instructions to use; they do not change the noise.
    public init(
        key: NoiseKey, step: Int, parameter: Int, term: Int, draw: Int = 0, firstElement: UInt64 = 0,
        level: SIMDLevel = .highest
    ) {
        precondition(step >= 0 && step < 1 << 32, "a noise address has a step in 0 …< 2³², not \(step)")
        precondition(term >= 0 && term < 1 << 12, "a noise address has a term in 0 …< 4096, not \(term)")
        precondition(draw >= 0 && draw < 16, "a noise address has a draw in 0 …< 16, not \(draw)")
        address = pk_stream(
            key: (key.words[0], key.words[1]), step: UInt32(step), parameter: UInt32(parameter),
            term: UInt32(term << 4 | draw))
        self.firstElement = firstElement
        self.level = level
    }

    /// The same place in another draw of the same term: independent variates.
    public func draw(_ number: Int) -> NoiseStream {
        precondition(number >= 0 && number < 16, "a noise address has a draw in 0 …< 16, not \(number)")
        return NoiseStream(
            address: pk_stream(
                key: address.key, step: address.step, parameter: address.parameter,
                term: address.term & ~15 | UInt32(number)), firstElement: firstElement, level: level)
    }

    /// The same place at another step.
    public func at(step: Int) -> NoiseStream {
        precondition(step >= 0 && step < 1 << 32, "a noise address has a step in 0 …< 2³², not \(step)")
        var other = address
        other.step = UInt32(step)
        return NoiseStream(address: other, firstElement: firstElement, level: level)
    }

    /// Noise of the same term and step that is the same for all parameters and blocks: it stands at element 0 of a
    /// parameter number that no parameter has, 2³² − 1.
    public var shared: NoiseStream {
        var other = address
        other.parameter = .max
        return NoiseStream(address: other, firstElement: 0, level: level)
    }

    private init(address: pk_stream, firstElement: UInt64, level: SIMDLevel) {
        self.address = address
        self.firstElement = firstElement
        self.level = level
    }

    /// The raw 32-bit words of the next `count` elements.
    public func words(_ count: Int) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            words(into: UnsafeMutableBufferPointer(start: buffer.baseAddress, count: count))
            initialized = count
        }
    }

    func words(into output: UnsafeMutableBufferPointer<UInt32>) {
        withUnsafePointer(to: address) { pk_words(output.baseAddress, output.count, $0, firstElement) }
    }

    /// output[i] = scale·ξᵢ
    public func fill<S: EquationScalar>(
        _ output: inout MutableSpan<S>, with distribution: NoiseDistribution, scale: Double = 1
    ) {
        output.withUnsafeMutableBufferPointer {
            run(distribution.value, PK_STORE, $0, nil, scale, 0)
        }
    }

    /// output[i] += scale·ξᵢ
    public func add<S: EquationScalar>(
        _ distribution: NoiseDistribution, scale: Double, to output: inout MutableSpan<S>
    ) {
        output.withUnsafeMutableBufferPointer {
            run(distribution.value, PK_ADD, $0, nil, scale, 0)
        }
    }

    /// output[i] += scale·x[i]·ξᵢ
    public func add<S: EquationScalar>(
        _ distribution: NoiseDistribution, scale: Double, times x: Span<S>, to output: inout MutableSpan<S>
    ) {
        precondition(x.count == output.count, "the factor and the output have the same length")
        x.withUnsafeBufferPointer { x in
            output.withUnsafeMutableBufferPointer {
                run(distribution.value, PK_ADD_SCALED, $0, x.baseAddress, scale, 0)
            }
        }
    }

    /// Σ ξᵢ² over the next `count` elements, ξ ~ N(0, 1).
    func sumOfSquares<S: EquationScalar>(_ count: Int, as _: S.Type) -> Double {
        withUnsafePointer(to: address) {
            S.kernels(level).pointee.noise_sums(nil, count, $0, firstElement).noise_squares
        }
    }

    /// Σ ξᵢ·xᵢ/√vᵢ, ξ ~ N(0, 1), without the elements where v is not above 0.
    func sum<S: EquationScalar>(
        with x: UnsafeBufferPointer<S>, overRootOf v: UnsafeBufferPointer<S>
    ) -> Double {
        withUnsafePointer(to: address) {
            S.kernels(level).pointee.noise_over_root(x.baseAddress, v.baseAddress, x.count, $0, firstElement)
        }
    }

    /// Σ ξᵢ·xᵢ, Σ xᵢ² and Σ ξᵢ², ξ ~ N(0, 1).
    func sums<S: EquationScalar>(with x: UnsafeBufferPointer<S>) -> pk_noise_sums {
        withUnsafePointer(to: address) {
            S.kernels(level).pointee.noise_sums(x.baseAddress, x.count, $0, firstElement)
        }
    }

    /// The kernel call behind all of the above.
    func run<S: EquationScalar>(
        _ distribution: pk_distribution, _ mode: pk_mode, _ output: UnsafeMutableBufferPointer<S>,
        _ x: UnsafePointer<S>?, _ scale: Double, _ probability: Double
    ) {
        let kernels = S.kernels(level)
        withUnsafePointer(to: address) { address in
            if var prefetch {
                kernels.pointee.noise(
                    distribution, mode, output.baseAddress, x, output.count, scale, probability, address,
                    firstElement, &prefetch)
            } else {
                kernels.pointee.noise(
                    distribution, mode, output.baseAddress, x, output.count, scale, probability, address,
                    firstElement, nil)
            }
        }
    }
}
