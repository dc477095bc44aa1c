import CPerturbationKernels
import Foundation

/// The gradient turned by an angle: another direction, the same length.
///
/// δ = (cos φ − 1)·g + sin φ·‖g‖·u, u ⟂ g, ‖u‖ = 1, u uniform among such directions: the noise ξ ~ N(0, 1) without its
/// component along g, normalised. Per tensor; ‖g + δ‖ = ‖g‖ and the angle between g + δ and g is φ, both up to
/// rounding. δ = 0 where g = 0, and in tensors of one element, which have no other direction.
///
/// E[δ] = (cos φ − 1)·g: the step is shortened along g. The element variance is sin²φ·(‖g‖² − gᵢ²)/(n − 1). The
/// stability controller scales the chord 2·sin(φ/2).
///
/// Source: Rodrigues' rotation in the plane of g and u; elementary.
public struct Rotation: ElementaryPerturbation {
    /// φ in radians, 0 ≤ φ ≤ π.
    public var angle: Scheduled

    public init(angle: Scheduled) {
        self.angle = angle
    }

    public func requirements(at step: Int) -> Requirements { .sums }
    public func isZero(at step: Int) -> Bool { angle.value(at: step) == 0 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&angle)
    }

    public func validate() throws {
        try angle.require("angle", in: 0...Double.pi, allowed: "an angle 0 ≤ φ ≤ π, in radians")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "rotation", summary: "The gradient turned by an angle, at the same length.",
        equation: "δ = (cos φ − 1)·g + sin φ·‖g‖·u, u ⟂ g, ‖u‖ = 1, per tensor",
        parameters: [.init("angle", "schedule", allowed: "0 ≤ φ ≤ 3.141592653589793", unit: "radians", "φ")],
        source: "Rodrigues' rotation in the plane of g and u; elementary")

    /// φ after the stability controller's cut and bound, which act on the chord ‖δ‖/‖g‖ = 2·sin(φ/2).
    private func angle(at site: Site) -> Double {
        let phi = angle.value(at: site.step)
        let chord = 2 * sin(phi / 2)
        let bounded = site.ratio(chord)
        return bounded == chord ? phi : 2 * asin(min(1, bounded / 2))
    }

    public func variance(at site: Site) -> ElementVariance? {
        let count = site.sums[3]
        guard count > 1, site.sums[1] > 0 else { return .zero }
        let share = pow(sin(angle(at: site)), 2) / (count - 1)
        return ElementVariance(constant: share * site.sums[1], perSquaredGradient: -share)
    }

    public func bound(at site: Site) -> ElementBound? {
        // |δᵢ| ≤ ‖δ‖ = 2·sin(φ/2)·‖g‖. σ_max bounds it by a gradient that is not this one's: it does not count.
        let chord = 2 * sin(angle.value(at: site.step) / 2) * site.strengthScale
        return ElementBound(perGradient: min(2, chord) * Double(site.gradient.count).squareRoot())
    }

    /// ⟨ξ, g⟩, ‖g‖², ‖ξ‖² and n.
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let sums = site.noise.sums(with: gradient)
        return [sums.noise, sums.squares, sums.noise_squares, Double(gradient.count)]
    }

    static var mostTerms: Int { 2 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let length = site.sums[1].squareRoot()
        // ⟨ξ, g⟩/‖g‖, and what is left of ‖ξ‖² across g.
        let along = site.sums[0] / length
        let across = site.sums[2] - along * along
        // Next to nothing is left of one element, by rounding: there is nowhere to turn.
        guard length > 0, across > 1e-12 * site.sums[2] else { return }
        let phi = angle(at: site)
        let turn = sin(phi) / across.squareRoot()
        terms.append(NoiseDraw(distribution: PK_NORMAL, scale: turn * length), from: site.noise)
        terms.append(alongGradient: cos(phi) - 1 - turn * along)
    }
}
