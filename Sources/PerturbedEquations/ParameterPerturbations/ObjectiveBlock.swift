import CPerturbationKernels

/// Arithmetic on one block at a time of θ, g and what a parameter perturbation keeps.
///
/// Blocks run on any thread and in any order; the sums that they return are combined in a fixed order.
public protocol BlockWork {
    /// - Returns: the block's part of up to four sums over the tensor.
    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double>
}

/// One block of one parameter during the evaluations of a step.
public struct ObjectiveBlock<S: EquationScalar> {
    /// The parameter's number among the optimizer's.
    public let parameter: Int
    /// The block's number over all parameters.
    let number: Int
    /// The number of the block's first element within the parameter.
    public let start: Int
    /// θ̃, where the objective is evaluated. Written only by works given to `ObjectivePass.perturb`.
    public let parameters: UnsafeMutableBufferPointer<S>
    /// θ.
    public let original: UnsafeBufferPointer<S>
    /// g of the last evaluation; nil where the parameter has none.
    public let gradient: UnsafeBufferPointer<S>?
    /// The temporary tensors' blocks.
    public let temporaries: [UnsafeMutableBufferPointer<S>]
    /// The blocks of what is kept between steps, in the order of `storedNames`.
    public let stored: [UnsafeMutableBufferPointer<S>]
    /// The rule's state, in the order of its `stateNames`.
    let ruleState: [UnsafeMutableBufferPointer<S>]
    /// As many elements as the block has, for the work's own use.
    public let scratch: UnsafeMutableBufferPointer<S>
    let streams: ObjectiveNoise
    let level: SIMDLevel

    public var count: Int { parameters.count }

    /// The step's noise at this block; draws tell uses apart, 0, 1, 2…
    public func noise(draw: Int) -> NoiseStream {
        streams.stream(parameter: parameter, draw: draw, firstElement: start, level: level)
    }

    /// y ← y + scale·ξ
    public func addNoise(
        _ distribution: NoiseDistribution, scale: Double, draw: Int, to y: UnsafeMutableBufferPointer<S>
    ) {
        noise(draw: draw).run(distribution.value, PK_ADD, y, nil, scale, 0)
    }

    /// θ̃ ← θ
    public func reset() {
        guard let from = original.baseAddress, let to = parameters.baseAddress, from != UnsafePointer(to)
        else {
            return
        }
        to.update(from: from, count: count)
    }

    /// y ← y + scale·x
    public func add(_ scale: Double, _ x: UnsafeBufferPointer<S>, to y: UnsafeMutableBufferPointer<S>) {
        S.kernels(level).pointee.add_scaled(y.baseAddress, x.baseAddress, y.count, scale)
    }

    /// Σ xᵢyᵢ in float64, in a fixed order.
    public func dot(_ x: UnsafeBufferPointer<S>, _ y: UnsafeBufferPointer<S>) -> Double {
        S.kernels(level).pointee.dot(x.baseAddress, y.baseAddress, x.count)
    }
}

/// The addresses of stage 1's noise.
struct ObjectiveNoise {
    /// The term's place in the noise's address: after every term of a perturbation.
    static let term = 4094

    let key: NoiseKey
    let step: Int

    func stream(parameter: Int, draw: Int, firstElement: Int, level: SIMDLevel) -> NoiseStream {
        // An address tells 16 draws apart; more of them take further keys.
        let key = draw < 16 ? key : key.derived("parameterPerturbation").derived(UInt64(draw / 16))
        return NoiseStream(
            key: key, step: step, parameter: parameter, term: Self.term, draw: draw % 16,
            firstElement: UInt64(firstElement), level: level)
    }
}
