import CPerturbationKernels

/// A perturbation that is one draw of noise and nothing else: δ = s·ξ, or s·g ⊙ ξ, from the first draw of its stream.
protocol DrawnNoise: ElementaryPerturbation {
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
    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        terms.append(draw(at: site), from: site.noise)
    }
}
