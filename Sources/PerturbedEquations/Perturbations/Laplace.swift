import CPerturbationKernels

/// Laplace noise: heavier tails than the Gaussian.
///
/// δ = σ(t)/√2·ξ, ξ ~ Laplace(1) independent per element; standard deviation σ.
///
/// ```swift
/// let noise = Laplace(sigma: 0.01)             // absolute, gradient units
/// let relative = Laplace(sigma: .relative(0.1))  // a tenth of each tensor's RMS gradient
/// ```
///
/// Source: none needed.
public struct Laplace: NoiseOfStrength, DrawnNoise {
    /// σ, a standard deviation in gradient units.
    public var sigma: Strength

    public init(sigma: Strength) {
        self.sigma = sigma
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "laplace", summary: "Laplace noise: heavier tails than the Gaussian.",
        equation: "δ = σ(t)/√2·ξ, ξ ~ Laplace(1)",
        parameters: [Strength.catalogueParameter("sigma", "σ")],
        source: "none needed")

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_LAPLACE, scale: site.sigma(sigma))
    }
}
