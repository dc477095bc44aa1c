import CPerturbationKernels

/// Uniform noise with the standard deviation of the Gaussian.
///
/// δ = σ(t)·√3·u, u ~ U(−1, 1) independent per element; |δ| ≤ √3·σ.
///
/// ```swift
/// let noise = Uniform(sigma: 0.01)             // absolute, gradient units
/// let relative = Uniform(sigma: .relative(0.1))  // a tenth of each tensor's RMS gradient
/// ```
///
/// Source: none needed.
public struct Uniform: NoiseOfStrength, DrawnNoise {
    /// σ, a standard deviation in gradient units.
    public var sigma: Strength

    public init(sigma: Strength) {
        self.sigma = sigma
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "uniform", summary: "Uniform noise with the standard deviation of the Gaussian.",
        equation: "δ = σ(t)·√3·u, u ~ U(−1, 1)",
        parameters: [Strength.catalogueParameter("sigma", "σ")],
        source: "none needed")

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_UNIFORM, scale: site.sigma(sigma))
    }
}
