import CPerturbationKernels

/// Gaussian noise shaped by the curvature: more, or less, where the loss bends.
///
/// δ = σ(t)·c ⊙ ξ, ξ ~ N(0, 1), c ∝ h^p with mean(c²) = 1 over the tensor, so that σ is the noise's root mean square.
/// p = ½ is anisotropic noise (more where it is steep), p = −½ preconditioned noise (more where it is flat), p = 0 plain.
///
/// h is either the rule's second moment (its average of ĝ², a proxy of the diagonal Fisher matrix) or an estimate of
/// the Hessian's diagonal, of which |h| counts. In both cases
///
/// ```
/// c ∝ r^(2p),   r = √(|h|/mean|h|) + ε
/// ```
///
/// so that an element with h = 0 (or that is not a number) is treated as one with √|h| = ε·√mean|h|, and a tensor with
/// h = 0 everywhere (the second moment before the first update) gets plain noise, c = 1. With p < 0 no element gets
/// more than ε^(2p) times the noise of one with r = 1.
///
/// The Hessian is estimated by whoever takes the step, by `estimate`; `peo train` does it with Hutchinson's method.
///
/// Source: Zhu, Wu, Yu, Wu, Ma 2019, The Anisotropic Noise in Stochastic Gradient Descent (p = ½); the diagonal: Yao et
/// al. 2021, AdaHessian.
public struct CurvatureShaped: NoiseOfStrength, ElementaryPerturbation {
    /// Where h comes from.
    public enum Source: String, Sendable, Codable, CaseIterable {
        /// The rule's average of ĝ². Rules without one refuse the term.
        case secondMoment
        /// The signal `hessianDiagonal`.
        case hessianDiagonal
    }

    /// σ, the root mean square over the tensor of the noise's standard deviation, in gradient units.
    public var sigma: Strength
    public var source: Source
    /// p: a multiple of ¼ from −1 to 1, default ½. (Powers of quarters need only square roots, which are the same to
    /// the bit on every machine.)
    public var exponent: Double
    /// ε; 0 < ε ≤ 1, default 0.1.
    public var damping: Scheduled
    /// How the Hessian's diagonal is estimated; of no effect on the second moment.
    public var estimate: HessianEstimate

    public init(
        sigma: Strength, source: Source = .secondMoment, exponent: Double = 0.5, damping: Scheduled = 0.1,
        estimate: HessianEstimate = HessianEstimate()
    ) {
        self.sigma = sigma
        self.source = source
        self.exponent = exponent
        self.damping = damping
        self.estimate = estimate
    }

    public func requirements(at step: Int) -> Requirements {
        let input: Requirements = source == .secondMoment ? .secondMoment : .signal(.hessianDiagonal)
        return [sigma.requirements, input, isInClosedForm ? .sums : .moreSums]
    }

    private var quarters: Int32 { Int32((4 * exponent).rounded()) }
    /// Whether mean(c²) follows from the means of |h| and √|h|.
    private var isInClosedForm: Bool { 0...2 ~= quarters }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&sigma.schedule)
        try body(&damping)
    }

    public func validate() throws {
        try sigma.require("sigma")
        try require(
            exponent >= -1 && exponent <= 1 && (4 * exponent).rounded() == 4 * exponent, "exponent",
            is: exponent,
            allowed: "a multiple of 0.25 from -1 to 1")
        try damping.require(
            "damping", in: Double.leastNonzeroMagnitude...1, allowed: "a number 0 < damping ≤ 1")
        try estimate.validate()
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "curvatureShaped", summary: "Gaussian noise shaped by the curvature.",
        equation: "δ = σ·c ⊙ ξ, c ∝ (√(|h|/mean|h|) + ε)^(2p), mean(c²) = 1, per tensor",
        parameters: [
            Strength.catalogueParameter("sigma", "σ, the root mean square of the standard deviations"),
            .init(
                "source", "name", default: "secondMoment", allowed: "secondMoment, hessianDiagonal",
                "h: the rule's average of ĝ², or the Hessian's diagonal"),
            .init(
                "exponent", "number", default: "0.5", allowed: "-1 ≤ p ≤ 1, a multiple of 0.25",
                "p: 0.5 anisotropic, -0.5 preconditioned"),
            .init("damping", "schedule", default: "0.1", allowed: "0 < ε ≤ 1", "ε"),
            .init(
                "every", "integer", default: "10", allowed: "≥ 1", unit: "steps",
                "from one estimate of the Hessian to the next"),
            .init("probes", "integer", default: "1", allowed: "≥ 1", "per estimate of the Hessian"),
            .init(
                "average", "number", default: "0.9", allowed: "0 ≤ β < 1",
                "how much of the Hessian's average is kept"),
        ],
        source:
            "Zhu et al. 2019, The Anisotropic Noise in Stochastic Gradient Descent; Yao et al. 2021, AdaHessian"
    )

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            sigma: try container.decode(Strength.self, forKey: .sigma),
            source: try container.decode(.source, default: .secondMoment),
            exponent: try container.decode(.exponent, default: 0.5),
            damping: try container.decode(.damping, default: 0.1),
            estimate: HessianEstimate(
                every: try container.decode(.every, default: 10),
                probes: try container.decode(.probes, default: 1),
                average: try container.decode(.average, default: 0.9)))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sigma, forKey: .sigma)
        try container.encode(source, forKey: .source)
        try container.encode(exponent, forKey: .exponent)
        try container.encode(damping, forKey: .damping)
        try container.encode(estimate.every, forKey: .every)
        try container.encode(estimate.probes, forKey: .probes)
        try container.encode(estimate.average, forKey: .average)
    }

    private enum CodingKeys: String, CodingKey {
        case sigma, source, exponent, damping, every, probes, average
    }

    /// No element gets more than σ·√n, since mean(c²) = 1.
    public func bound(at site: Site) -> ElementBound? {
        let most = site.sigma(sigma) * Double(site.gradient.count).squareRoot()
        return ElementBound(constant: most * ElementBound.largestVariate)
    }

    /// How h is to be estimated; nil where it is not.
    var hessianEstimate: HessianEstimate? { source == .hessianDiagonal ? estimate : nil }

    private func curvature<S: EquationScalar>(at site: Site, as type: S.Type) -> UnsafeBufferPointer<S> {
        switch source {
        case .hessianDiagonal: return site.signal(.hessianDiagonal, as: type)
        case .secondMoment:
            guard let moment = site.secondMoment(as: type) else {
                preconditionFailure("rules without a second moment refuse the term")
            }
            return moment
        }
    }

    /// First Σ|h|, n and Σ√|h|; then Σ r^(4p).
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let h = curvature(at: site, as: S.self)
        let kernels = S.kernels(site.noise.level)
        guard site.isSecondRound else {
            let sums = kernels.pointee.curvature_sums(h.baseAddress, h.count)
            return [sums.sizes, Double(h.count), sums.roots, 0]
        }
        guard let shape = shape(at: site) else { return [Double(h.count), 0, 0, 0] }
        // The square of c before it is normalised.
        let sum = kernels.pointee.shape_sum(
            h.baseAddress, h.count, shape.scale, shape.damping, shape.quarters)
        return [sum, 0, 0, 0]
    }

    /// r^(2p), r = s·√|h| + ε with s² = 1/mean|h|; nil where the noise is plain.
    private func shape(at site: Site) -> NoiseShape? {
        guard quarters != 0, site.sums[0] > 0 else { return nil }
        return NoiseShape(
            scale: (site.sums[1] / site.sums[0]).squareRoot(), damping: damping.value(at: site.step),
            quarters: quarters)
    }

    /// mean(r^(4p)).
    private func meanSquare(_ shape: NoiseShape, at site: Site) -> Double {
        let root = shape.scale * site.sums[2] / site.sums[1]
        return switch quarters {
        case 1: root + shape.damping
        // s²·mean|h| is 1, unless Σ|h| is beyond float64: then s is 0, and c the same everywhere.
        case 2: (shape.scale > 0 ? 1 : 0) + shape.damping * (2 * root + shape.damping)
        default: site.moreSums[0] / site.sums[1]
        }
    }

    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let sigma = site.sigma(sigma)
        guard let shape = shape(at: site) else {
            return terms.append(NoiseDraw(distribution: PK_NORMAL, scale: sigma), from: site.noise)
        }
        terms.append(
            noiseShapedBy: curvature(at: site, as: S.self), shape,
            scale: sigma / meanSquare(shape, at: site).squareRoot(), from: site.noise)
    }
}

/// How the diagonal of the Hessian is estimated: h ← β·h + (1 − β)·mean over probes of z ⊙ ∇⟨∇L, z⟩, z = ±1.
///
/// Source: Hutchinson 1990, A Stochastic Estimator of the Trace of the Influence Matrix; the diagonal: Bekas, Kokiopoulou,
/// Saad 2007, An Estimator for the Diagonal of a Matrix.
public struct HessianEstimate: Sendable, Hashable {
    /// Steps from one estimate to the next; ≥ 1, default 10.
    public var every: Int
    /// Probes per estimate, each a backward pass through the backward pass; ≥ 1, default 1.
    public var probes: Int
    /// β, how much of the average before is kept; 0 ≤ β < 1, default 0.9. The first estimate is taken whole.
    public var average: Double

    public init(every: Int = 10, probes: Int = 1, average: Double = 0.9) {
        self.every = every
        self.probes = probes
        self.average = average
    }

    func validate() throws {
        try require(every >= 1, "every", is: every, allowed: "a whole number ≥ 1")
        try require(probes >= 1, "probes", is: probes, allowed: "a whole number ≥ 1")
        try require(average >= 0 && average < 1, "average", is: average, allowed: "0 ≤ average < 1")
    }
}
