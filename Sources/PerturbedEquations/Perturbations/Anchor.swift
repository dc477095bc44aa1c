/// A pull back to where training began, or to a ball around it.
///
/// δ = λ(t)·max(0, 1 − r/‖θ − θ₀‖)·(θ − θ₀), θ₀ the parameters before the first update, the norm over each tensor. With
/// r = 0 it is λ(θ − θ₀), the gradient of ½λ‖θ − θ₀‖² (L2-SP). With r > 0 it is the gradient of
/// ½λ·max(0, ‖θ − θ₀‖ − r)²: nothing within the ball of radius r, beyond it a pull towards the nearest point of the
/// ball, as a soft trust region.
///
/// It keeps θ₀: as much memory as the parameters.
///
/// Source: Li, Grandvalet, Davoine 2018, Explicit Inductive Bias for Transfer Learning with Convolutional Networks.
public struct Anchor: ElementaryPerturbation {
    /// λ, gradient units per θ; ≥ 0.
    public var strength: Scheduled
    /// r, in units of θ; ≥ 0, default 0.
    public var radius: Scheduled

    public init(strength: Scheduled, radius: Scheduled = 0) {
        self.strength = strength
        self.radius = radius
    }

    public func requirements(at step: Int) -> Requirements { radius.value(at: step) > 0 ? .sums : [] }
    public func isZero(at step: Int) -> Bool { strength.value(at: step) == 0 }
    public var isNoise: Bool { false }
    public func variance(at site: Site) -> ElementVariance? { .zero }

    /// Parameters are taken to be below 2⁶⁴ in size: a model with larger ones is lost without any penalty.
    public func bound(at site: Site) -> ElementBound? {
        ElementBound(constant: strength.value(at: site.step) * 0x1p65)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&strength)
        try body(&radius)
    }

    public func validate() throws {
        try strength.require(
            "strength", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
        try radius.require("radius", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite radius ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "anchor", summary: "A pull back to where training began, or to a ball around it.",
        equation: "δ = λ·max(0, 1 − r/‖θ − θ₀‖)·(θ − θ₀), per tensor",
        parameters: [
            .init("strength", "schedule", allowed: "≥ 0", unit: "gradient units per θ", "λ"),
            .init("radius", "schedule", default: "0", allowed: "≥ 0", unit: "units of θ", "r"),
        ],
        source: "Li, Grandvalet, Davoine 2018, Explicit Inductive Bias for Transfer Learning (L2-SP)")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            strength: try container.decode(Scheduled.self, forKey: .strength),
            radius: try container.decode(.radius, default: 0))
    }

    public var storedNames: [String] { ["anchor"] }

    public func initialise(_ stored: inout MutableSpan<Float>, number: Int, from parameters: Span<Float>) {
        for i in parameters.indices { stored[i] = parameters[i] }
    }

    public func initialise(_ stored: inout MutableSpan<Double>, number: Int, from parameters: Span<Double>) {
        for i in parameters.indices { stored[i] = parameters[i] }
    }

    /// ‖θ − θ₀‖².
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let start = site.stored(0, as: S.self)
        let square = S.kernels(site.noise.level).pointee.distance(
            parameters.baseAddress, start.baseAddress, parameters.count)
        return [square, 0, 0, 0]
    }

    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        var pull = strength.value(at: site.step)
        let radius = radius.value(at: site.step)
        if radius > 0 {
            let distance = site.sums[0].squareRoot()
            guard distance > radius else { return }
            pull *= 1 - radius / distance
        }
        terms.append(alongDifferenceFrom: site.stored(0, as: S.self), pull)
    }
}
