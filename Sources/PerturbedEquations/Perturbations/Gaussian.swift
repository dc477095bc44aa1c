import CPerturbationKernels

/// Gaussian noise on the gradient.
///
/// δ = σ(t)·ξ, ξ ~ N(0, 1) independent per element.
///
/// ```swift
/// let noise = Gaussian(sigma: 0.01)             // absolute, gradient units
/// let relative = Gaussian(sigma: .relative(0.1))  // a tenth of each tensor's RMS gradient
/// ```
///
/// Source: Neelakantan et al. 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
public struct Gaussian: NormalNoise {
    /// σ, a standard deviation in gradient units.
    public var sigma: Strength

    public init(sigma: Strength) {
        self.sigma = sigma
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gaussian", summary: "Gaussian noise on the gradient.", equation: "δ = σ(t)·ξ, ξ ~ N(0, 1)",
        parameters: [Strength.catalogueParameter("sigma", "σ")],
        source: "Neelakantan et al. 2015, Adding Gradient Noise Improves Learning for Very Deep Networks")

    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        site.noise.run(PK_NORMAL, site.mode, delta, nil, site.sigma(sigma), 0)
    }
}
