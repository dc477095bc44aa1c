/// One block of one parameter: what a rule reads and writes.
public struct UpdateBlock<S: EquationScalar> {
    /// θ.
    public let parameters: UnsafeMutableBufferPointer<S>
    /// g, before scaling.
    public let gradient: UnsafeBufferPointer<S>
    /// δ, before scaling; nil where there is no perturbation.
    public let delta: UnsafeBufferPointer<S>?
    /// The state tensors' blocks, in the order of `stateNames`.
    public let state: StateBlocks<S>
    /// δ for a rule that makes it itself, of one part at least; `delta` is then nil. Only rules that say so get one.
    let terms: BlockTerms?
    /// What g is multiplied by (clipping).
    public let gradientScale: Double
    /// What δ is multiplied by (the stability controller's bound).
    public let deltaScale: Double
    /// The rule's numbers for this parameter, as they were after its last update; zero for a rule without.
    public let memory: SIMD4<Double>
    /// Var[ĝᵢ | g] by what the terms of δ declare; zero unless required.
    public let noiseVariance: ElementVariance
    /// The diagonal of the Hessian that a sampling rule's several evaluations estimated; nil for one.
    let curvature: UnsafeBufferPointer<S>?
    let level: SIMDLevel
    let address: RuleNoiseAddress
    /// Room for one block of noise; nil unless noise is required.
    let room: UnsafeMutablePointer<S>?
    /// Where the rule's own sums over the block go; nil unless required.
    let sums: UnsafeMutablePointer<SIMD4<Double>>?

    /// ĝ of one element: gradientScale·g + deltaScale·δ.
    public func perturbedGradient(_ i: Int) -> S {
        let g = S(gradientScale) * gradient[i]
        guard let delta else { return g }
        return g.addingProduct(S(deltaScale), delta[i])
    }

    /// The rule's own noise (a sampler's), standing at the block's first element. It shares no variate with a
    /// perturbation; `draw` gives up to 16 independent ones.
    public var noise: NoiseStream {
        NoiseStream(
            key: address.key, step: address.step, parameter: address.parameter, term: NoiseStream.ruleTerm,
            firstElement: UInt64(address.firstElement), level: level)
    }

    /// The noise at which a sampling rule's weights were drawn, standing at the block's first element.
    var weightNoise: NoiseStream {
        ObjectiveNoise(key: address.key, step: address.step).stream(
            parameter: address.parameter, draw: 0, firstElement: address.firstElement, level: level)
    }

    /// Adds to the rule's own sums over the tensor, which `remember` gets.
    public func add(toSums values: SIMD4<Double>) {
        precondition(sums != nil, "a rule that sums requires `.sums`")
        sums?.pointee += values
    }
}

/// Where the rule's noise of one block is.
struct RuleNoiseAddress {
    let key: NoiseKey
    let step: Int
    let parameter: Int
    let firstElement: Int
}

extension NoiseStream {
    /// The term number of the rule's own noise. Perturbations have smaller ones.
    static let ruleTerm = 4095
}

/// What a rule needs besides ĝ and its state.
public struct RuleRequirements: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Noise of the rule's own.
    public static let noise = RuleRequirements(rawValue: 1)
    /// `UpdateBlock.noiseVariance`. Terms that do not declare theirs are refused.
    public static let noiseVariance = RuleRequirements(rawValue: 2)
    /// The rule adds to sums over the tensor.
    public static let sums = RuleRequirements(rawValue: 4)
}

/// One parameter once all its blocks are updated: what a rule may remember of it.
public struct TensorUpdate: Sendable {
    public let time: RuleTime
    /// How many elements the parameter has.
    public let count: Int
    /// What the rule added up over the blocks, in their order; zero unless required.
    public let sums: SIMD4<Double>
    /// Var[ĝᵢ | g]; zero unless required.
    public let noiseVariance: ElementVariance
}
