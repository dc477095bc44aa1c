import CPerturbationKernels

/// A second moment from which the known variance of ĝ's noise is taken off.
///
/// The terms declare Var[ĝ | g] = c + p·g², so that E[ĝ²] = (1 + p)·g² + c. The average is of an estimate of g²
/// that is right in the mean:
///
/// ```
/// v ← βv + (1 − β)·(ĝ² − c)/(1 + p)         for p < 0: (ĝ² − c − p·g²)
/// ```
///
/// What noise in proportion to g adds is divided away, because a difference could come out negative where g
/// vanishes. v still scatters about E[g²], by c·√(2(1−β)/(1+β)) under normal noise, so that it can come out near
/// zero or below where the noise drowns g. It is used as max(v, floor, φ·c̄), c̄ the same average of c/(1 + p).
///
/// Where the variance differs between elements in another way than through g², as that of `curvatureShaped`,
/// `gradientCovariance` and `gradDrop` does, c is its mean over the tensor: v is then right on the tensor's average, too
/// large where the noise is stronger than its mean, and too small where it is weaker.
struct KnownNoise {
    private let fresh: Double
    private let beta: Double
    private let excess: Double
    private let variance: ElementVariance

    init(_ variance: ElementVariance, beta: Double) {
        self.variance = variance
        self.beta = beta
        fresh = 1 - beta
        excess = 1 + max(variance.perSquaredGradient, 0)
    }

    /// c̄ after this update, from c̄ before it.
    func average(after average: Double) -> Double {
        beta * average + fresh * variance.constant / excess
    }

    func kernel(floor: Double) -> pk_known_noise {
        pk_known_noise(
            beta: beta, intake: fresh / excess, constant: fresh * variance.constant / excess,
            along: fresh * min(variance.perSquaredGradient, 0), floor: floor)
    }
}

extension CatalogueEntry {
    /// What s is, in the words of `peo list`.
    static let knownNoise =
        "s: each element's known variance of noise; of curvatureShaped, gradientCovariance and gradDrop its mean over the "
        + "tensor, so that v is right on average only"
}

extension CatalogueEntry.Parameter {
    static let floors = [
        Self(
            "floor", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units²",
            "the least v̂, absolutely"),
        Self(
            "noiseFloor", "schedule", default: "0.1", allowed: "≥ 0", unit: "1",
            "φ, the least v̂ in units of the noise's variance"),
    ]
}
