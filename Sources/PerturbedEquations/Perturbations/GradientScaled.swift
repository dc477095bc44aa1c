import CPerturbationKernels

/// Gaussian noise in proportion to each element of the gradient.
///
/// δ = α(t)·g ⊙ ξ, ξ ~ N(0, 1): standard deviation α|g| per element.
///
/// Source: the multiplicative noise of Hodgkinson and Mahoney 2021, Multiplicative Noise and Heavy Tails in
/// Stochastic Optimization.
public struct GradientScaled: DrawnNoise {
    /// α, the ratio of the noise's standard deviation to |g|, ≥ 0.
    public var alpha: Scheduled

    public init(alpha: Scheduled) {
        self.alpha = alpha
    }

    public func isZero(at step: Int) -> Bool { alpha.value(at: step) == 0 }

    public func variance(at site: Site) -> ElementVariance? {
        let scale = scale(at: site)
        return ElementVariance(perSquaredGradient: scale * scale)
    }

    public func bound(at site: Site) -> ElementBound? {
        // σ_max only lowers it.
        let scale = alpha.value(at: site.step) * site.strengthScale
        return ElementBound(perGradient: scale * ElementBound.largestVariate)
    }

    private func scale(at site: Site) -> Double { site.ratio(alpha.value(at: site.step)) }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&alpha)
    }

    public func validate() throws {
        try alpha.require(
            "alpha", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite ratio ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gradientScaled", summary: "Gaussian noise in proportion to each element of the gradient.",
        equation: "δ = α(t)·g ⊙ ξ, ξ ~ N(0, 1)",
        parameters: [
            .init("alpha", "schedule", allowed: "≥ 0", unit: "ratio to |g|, a standard deviation", "α")
        ],
        source: "Hodgkinson and Mahoney 2021, Multiplicative Noise and Heavy Tails in Stochastic Optimization"
    )

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_NORMAL, isByGradient: true, scale: scale(at: site))
    }
}
