import CPerturbationKernels

/// Inverted dropout on the gradient.
///
/// δ = g ⊙ (b/(1−p) − 1), b ~ Bernoulli(1−p): each element of g + δ is 0 with probability p and g/(1−p)
/// otherwise, so its mean is g and its variance g²·p/(1−p).
///
/// Source: Srivastava et al. 2014, Dropout (applied to the gradient instead of the activation).
public struct DropNoise: DrawnNoise {
    /// p, the probability that an element is dropped, 0 ≤ p < 1; may be scheduled.
    public var probability: Scheduled

    public init(probability: Scheduled) {
        self.probability = probability
    }

    public func isZero(at step: Int) -> Bool { probability.value(at: step) == 0 }

    public func variance(at site: Site) -> ElementVariance? {
        let p = probability(at: site)
        return ElementVariance(perSquaredGradient: p / (1 - p))
    }

    public func bound(at site: Site) -> ElementBound? {
        // The cut and σ_max only lower it; a controller may raise it.
        let p = probability.value(at: site.step)
        let scale = max(site.strengthScale, 1)
        return ElementBound(perGradient: max(1, p / (1 - p) * scale * scale))
    }

    /// p after the stability controller's cut and bound: what they do to the noise's standard deviation,
    /// |g|·√(p/(1−p)), decides p.
    private func probability(at site: Site) -> Double {
        let p = probability.value(at: site.step)
        let deviation = (p / (1 - p)).squareRoot()
        let scaled = site.ratio(deviation)
        guard scaled != deviation else { return p }
        return min(1 - 1 / (1 + scaled * scaled), 1 - 0x1p-24)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&probability)
    }

    public func validate() throws {
        try probability.require(
            "probability", in: 0...(1 - 0x1p-24), allowed: "a probability 0 ≤ p < 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "dropNoise", summary: "Inverted dropout on the gradient.",
        equation: "δ = g ⊙ (b/(1−p) − 1), b ~ Bernoulli(1−p)",
        parameters: [
            .init("probability", "schedule", allowed: "0 ≤ p < 1", unit: "a probability", "p")
        ],
        source: "Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting")

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_DROP, isByGradient: true, scale: 1, probability: probability(at: site))
    }
}
