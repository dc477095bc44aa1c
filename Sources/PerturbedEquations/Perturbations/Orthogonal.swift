import CPerturbationKernels

/// Gaussian noise with its component along the gradient removed.
///
/// δ = σ(t)·(ξ − ⟨ξ, g⟩·g/‖g‖²), ξ ~ N(0, 1); the inner product and the norm are over the tensor. ⟨δ, g⟩ = 0
/// up to rounding. Where g = 0 the noise is plain. Its element variance is σ²(1 − gᵢ²/‖g‖²), in the mean
/// σ²(1 − 1/n).
///
/// ξ is not stored: it is drawn once to take the inner product and once more to be added.
///
/// Source: the projection is elementary; compare the tangential noise of Wojtowytsch 2023, Stochastic
/// Gradient Descent with Noise of Machine Learning Type.
public struct Orthogonal: NoiseOfStrength, ElementaryPerturbation {
    /// σ, a standard deviation in gradient units.
    public var sigma: Strength

    public init(sigma: Strength) {
        self.sigma = sigma
    }

    public func requirements(at step: Int) -> Requirements { [sigma.requirements, .sums] }

    public func variance(at site: Site) -> ElementVariance? {
        let sigma = site.sigma(sigma)
        let along = sigma * sigma / site.sums[1]
        return ElementVariance(
            constant: sigma * sigma, perSquaredGradient: along.isFinite && along > 0 ? -along : 0)
    }

    /// What is taken off is at most ‖ξ‖ long.
    public func bound(at site: Site) -> ElementBound? {
        let length = 1 + Double(site.gradient.count).squareRoot()
        return ElementBound(constant: site.sigma(sigma) * ElementBound.largestVariate * length)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "orthogonal", summary: "Gaussian noise with its component along the gradient removed.",
        equation: "δ = σ(t)·(ξ − ⟨ξ,g⟩g/‖g‖²), ξ ~ N(0, 1), per tensor",
        parameters: [Strength.catalogueParameter("sigma", "σ")],
        source: "elementary projection; compare Wojtowytsch 2023")

    /// ⟨ξ, g⟩ and ‖g‖².
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let sums = site.noise.sums(with: gradient)
        return [sums.noise, sums.squares, 0, 0]
    }

    static var mostTerms: Int { 2 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let sigma = site.sigma(sigma)
        terms.append(NoiseDraw(distribution: PK_NORMAL, scale: sigma), from: site.noise)
        let along = -sigma * site.sums[0] / site.sums[1]
        // A subnormal g can be too small for its inverse to be a number of the same type: it is as good as zero.
        if site.sums[1] > 0 && S(along).isFinite { terms.append(alongGradient: along) }
    }
}
