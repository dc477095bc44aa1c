import CPerturbationKernels

/// A perturbation that is one draw of noise and nothing else: δ = s·ξ, or s·g ⊙ ξ, from the first draw of its stream.
///
/// A rule whose kernel draws noise itself needs no δ (`DrawingRule`); the bits are those of a stored one.
protocol DrawnNoise: KernelPerturbation {
    func draw(at site: Site) -> NoiseDraw
}

/// Which noise.
struct NoiseDraw {
    var distribution: pk_distribution
    /// Whether each variate is multiplied by its element of the gradient.
    var isByGradient = false
    /// s.
    var scale: Double
    /// p of Bernoulli noise.
    var probability = 0.0
}

extension DrawnNoise {
    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        let draw = draw(at: site)
        if draw.isByGradient { site.clearIfFirst(delta) }
        site.noise.run(
            draw.distribution, draw.isByGradient ? PK_ADD_SCALED : site.mode, delta,
            draw.isByGradient ? gradient.baseAddress : nil, draw.scale, draw.probability)
    }
}
