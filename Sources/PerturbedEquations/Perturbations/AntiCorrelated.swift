import CPerturbationKernels

/// Noise that takes back, at each step, what it added at the one before: anti-correlated noise on θ.
///
/// δ = −(σ(t+1)·ξ(t+1) − σ(t)·ξ(t))/η(t), ξ(t) ~ N(0, 1): with the rule SGD θ moves by σ(t+1)ξ(t+1) − σ(t)ξ(t), so that
/// after T steps only σ(T)ξ(T) − σ(0)ξ(0) of the noise is left in θ.
///
/// σ is a standard deviation in units of θ, unlike that of other noises: to get there δ is divided by the learning
/// rate of the step. Under another rule D the noise moves θ by η·D of δ. Where η(t) = 0, δ = 0, and what other steps
/// of the stability controller take from δ is missing in the sum, too. ξ is not stored: ξ(t+1) is drawn one step
/// early, and ξ(t) again.
///
/// Source: Orvieto, Kersting, Proske, Bach, Lucchi 2022, Anticorrelated Noise Injection for Improved Generalization.
public struct AntiCorrelated: ElementaryPerturbation {
    /// σ, a standard deviation in units of θ.
    public var sigma: Scheduled

    public init(sigma: Scheduled) {
        self.sigma = sigma
    }

    public func requirements(at step: Int) -> Requirements { .learningRate }

    public func isZero(at step: Int) -> Bool {
        sigma.value(at: step) == 0 && sigma.value(at: step + 1) == 0
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&sigma)
    }

    public func validate() throws {
        try sigma.require(
            "sigma", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite standard deviation ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "antiCorrelated", summary: "Noise that takes back what it added at the step before.",
        equation: "δ = −(σ(t+1)·ξ(t+1) − σ(t)·ξ(t))/η(t), ξ ~ N(0, 1)",
        parameters: [
            .init("sigma", "schedule", allowed: "≥ 0", unit: "units of θ, a standard deviation", "σ")
        ],
        source: "Orvieto et al. 2022, Anticorrelated Noise Injection for Improved Generalization")

    /// What ξ(t) and ξ(t+1) are multiplied by, after the stability controller's cut and bound.
    private func scales(at site: Site) -> (now: Double, next: Double) {
        guard site.learningRate > 0 else { return (0, 0) }
        let now = sigma.value(at: site.step) / site.learningRate
        let next = sigma.value(at: site.step + 1) / site.learningRate
        let deviation = (now * now + next * next).squareRoot()
        let factor = site.limited(1, rootMeanSquare: deviation)
        return (now * factor, -next * factor)
    }

    public func strength(at site: Site) -> Double? {
        let (now, next) = scales(at: site)
        return (now * now + next * next).squareRoot()
    }

    public func variance(at site: Site) -> ElementVariance? {
        let (now, next) = scales(at: site)
        return ElementVariance(constant: now * now + next * next)
    }

    public func bound(at site: Site) -> ElementBound? {
        let (now, next) = scales(at: site)
        return ElementBound(constant: (now - next) * ElementBound.largestVariate)
    }

    static var mostTerms: Int { 2 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let (now, next) = scales(at: site)
        terms.append(NoiseDraw(distribution: PK_NORMAL, scale: now), from: site.noise)
        guard next != 0 else { return }
        let later = site.noise.at(step: site.step + 1)
        terms.append(NoiseDraw(distribution: PK_NORMAL, scale: next), from: later)
    }
}
