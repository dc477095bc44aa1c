import CPerturbationKernels
import Foundation

/// Gaussian noise whose strength is learnt while training, by the hypergradient.
///
/// δ = f·σ₀(t)·ξ(t), ξ ~ N(0, 1), where log f of each tensor (or of the whole group) descends on the loss of the next
/// step. The noise moves θ(t+1) by −η·f·σ₀·D ξ(t), so that
///
/// ```
/// ∂L(θ(t+1))/∂log f = −η·f·σ₀·⟨g(t+1), D ξ(t)⟩
/// ```
///
/// whose sign and direction are known at step t+1; ξ(t) is drawn again. In the mean over ξ it is (ηfσ₀)²·tr(H) of D H D:
/// f falls where the loss is convex along the noise and grows where noise finds lower ground. η·f·σ₀ changes slowly and
/// is left to the normalisation:
///
/// ```
/// h = ⟨g(t+1), D ξ(t)⟩      v ← 0.99·v + 0.01·h²      log f ← log f + κ·h/√v,  within log of minimum … maximum
/// ```
///
/// D is the diagonal 1/√(the rule's second moment) where the rule keeps one, else the identity. Without information
/// (the first step, after steps in which the term or the tensor was left out) f stays.
///
/// Source: hypergradient descent, Baydin et al. 2018, Online Learning Rate Adaptation with Hypergradient Descent.
public struct Learned: DrawnNoise {
    /// What one f is for.
    public enum Scope: String, Sendable, Codable, CaseIterable {
        case tensor
        case group
    }

    /// σ₀, a standard deviation in gradient units.
    public var sigma: Strength
    /// κ, how far log f moves in a step of typical size; ≥ 0, default 0.01.
    public var rate: Scheduled
    /// The least f; > 0, default 0.01.
    public var minimum: Double
    /// The largest f; ≥ minimum, default 10.
    public var maximum: Double
    public var over: Scope

    public init(
        sigma: Strength, rate: Scheduled = 0.01, minimum: Double = 0.01, maximum: Double = 10,
        over: Scope = .tensor
    ) {
        self.sigma = sigma
        self.rate = rate
        self.minimum = minimum
        self.maximum = maximum
        self.over = over
    }

    public func requirements(at step: Int) -> Requirements {
        [sigma.requirements, .sums, .secondMomentIfKept, .learningRate]
    }

    public func isZero(at step: Int) -> Bool { sigma.schedule.value(at: step) == 0 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&sigma.schedule)
        try body(&rate)
    }

    public func validate() throws {
        try sigma.require("sigma")
        try rate.require("rate", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite rate ≥ 0")
        try require(
            minimum > 0 && minimum <= 1, "minimum", is: minimum, allowed: "0 < minimum ≤ 1")
        try require(
            maximum >= 1 && maximum.isFinite, "maximum", is: maximum, allowed: "a finite number ≥ 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "learned", summary: "Gaussian noise whose strength is learnt by the hypergradient.",
        equation: "δ = f·σ₀·ξ; log f ← log f + κ·h/√v, h = ⟨g(t+1), D ξ(t)⟩, v its mean square",
        parameters: [
            Strength.catalogueParameter("sigma", "σ₀"),
            .init("rate", "schedule", default: "0.01", allowed: "≥ 0", unit: "log f per step", "κ"),
            .init("minimum", "number", default: "0.01", allowed: "0 < f ≤ 1", "the least f"),
            .init("maximum", "number", default: "10", allowed: "≥ 1", "the largest f"),
            .init("over", "name", default: "tensor", allowed: "tensor, group", "what has one f"),
        ],
        source: "Baydin et al. 2018, Online Learning Rate Adaptation with Hypergradient Descent")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            sigma: try container.decode(Strength.self, forKey: .sigma),
            rate: try container.decode(.rate, default: 0.01),
            minimum: try container.decode(.minimum, default: 0.01),
            maximum: try container.decode(.maximum, default: 10),
            over: try container.decode(.over, default: .tensor))
    }

    // MARK: What is learnt

    /// log f, v, the step of the last noise + 1 (0: none), the number of the update it was part of.
    public var initialMemory: SIMD4<Double>? { .zero }

    public func remember(_ memory: inout SIMD4<Double>, at site: Site) {
        let h = over == .tensor ? site.sums[0] : site.overallSums[0]
        if h != 0, h.isFinite, (h * h).isFinite {
            memory[1] = memory[1] == 0 ? h * h : 0.99 * memory[1] + 0.01 * h * h
            let step = memory[1] > 0 ? rate.value(at: site.step) * h / memory[1].squareRoot() : 0
            memory[0] = min(max(memory[0] + step, log(minimum)), log(maximum))
        }
        // Noise that could not move θ teaches nothing.
        guard site.learningRate > 0 else {
            memory[2] = 0
            return
        }
        memory[2] = Double(site.step) + 1
        memory[3] = Double(site.update)
    }

    /// ⟨g, D ξ⟩ with ξ of the update before this one.
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        guard site.memory[2] > 0, Int(site.memory[3]) + 1 == site.update else { return .zero }
        let before = site.noise.at(step: Int(site.memory[2]) - 1)
        let sum =
            if let moment = site.secondMoment(as: S.self) {
                before.sum(with: gradient, overRootOf: moment)
            } else {
                before.sums(with: gradient).noise
            }
        return [sum, 0, 0, 0]
    }

    // MARK: The noise

    /// f·σ₀, after the stability controller's cut and bound.
    public func strength(at site: Site) -> Double? {
        min(exp(site.memory[0]) * site.sigma(sigma), site.largestStrength)
    }

    public func variance(at site: Site) -> ElementVariance? {
        let sigma = strength(at: site)!
        return ElementVariance(constant: sigma * sigma)
    }

    public func bound(at site: Site) -> ElementBound? {
        ElementBound(constant: maximum * site.sigma(sigma) * ElementBound.largestVariate)
    }

    func draw(at site: Site) -> NoiseDraw {
        NoiseDraw(distribution: PK_NORMAL, scale: strength(at: site)!)
    }
}
