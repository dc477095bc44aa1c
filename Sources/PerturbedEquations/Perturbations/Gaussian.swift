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
public struct Gaussian: NoiseOfStrength, DrawnNoise {
    /// σ, a standard deviation in gradient units.
    public var sigma: Strength

    public init(sigma: Strength) {
        self.sigma = sigma
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gaussian", summary: "Gaussian noise on the gradient.", equation: "δ = σ(t)·ξ, ξ ~ N(0, 1)",
        parameters: [Strength.catalogueParameter("sigma", "σ")],
        source: "Neelakantan et al. 2015, Adding Gradient Noise Improves Learning for Very Deep Networks")

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_NORMAL, scale: site.sigma(sigma))
    }
}
