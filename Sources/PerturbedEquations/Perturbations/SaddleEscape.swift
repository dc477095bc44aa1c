import CPerturbationKernels
import Foundation

/// A kick where the gradient has all but vanished, to leave a saddle point.
///
/// δ uniform in the ball of radius r(t), if ‖g‖ ≤ g_thres and more than t_thres steps have passed since the last kick
/// (or there was none); else δ = 0. ‖g‖ is over all parameters, after clipping; the ball is in the space of all
/// parameters of the group that have a gradient.
///
/// r is in gradient units, like every perturbation here: with SGD θ is kicked by up to η·r, so that the r of the paper,
/// in units of θ, is η times this one. The standard deviation of an element is r/√(d + 2), d the number of elements.
/// Uniform in a ball is ξ/‖ξ‖ · r·U^(1/d), ξ ~ N(0, 1), U ~ U(0, 1).
///
/// Source: Jin, Ge, Netrapalli, Kakade, Jordan 2017, How to Escape Saddle Points Efficiently (algorithm 2).
public struct SaddleEscape: ElementaryPerturbation {
    /// r, in gradient units; ≥ 0.
    public var radius: Scheduled
    /// g_thres, in gradient units; ≥ 0.
    public var gradientThreshold: Scheduled
    /// t_thres, in steps; ≥ 0.
    public var stepThreshold: Int

    public init(radius: Scheduled, gradientThreshold: Scheduled, stepThreshold: Int) {
        self.radius = radius
        self.gradientThreshold = gradientThreshold
        self.stepThreshold = stepThreshold
    }

    public func requirements(at step: Int) -> Requirements { [.overallGradient, .sums] }
    public func isZero(at step: Int) -> Bool { radius.value(at: step) == 0 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&radius)
        try body(&gradientThreshold)
    }

    public func validate() throws {
        try radius.require("radius", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite radius ≥ 0")
        try gradientThreshold.require(
            "gradientThreshold", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite norm ≥ 0")
        try require(stepThreshold >= 0, "stepThreshold", is: stepThreshold, allowed: "a whole number ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "saddleEscape", summary: "A kick where the gradient has all but vanished.",
        equation: "δ uniform in a ball of radius r if ‖g‖ ≤ g_thres and t − t_last > t_thres, else 0",
        parameters: [
            .init("radius", "schedule", allowed: "≥ 0", unit: "gradient units", "r"),
            .init("gradientThreshold", "schedule", allowed: "≥ 0", unit: "gradient units", "g_thres"),
            .init("stepThreshold", "integer", allowed: "≥ 0", unit: "steps", "t_thres"),
        ],
        source: "Jin et al. 2017, How to Escape Saddle Points Efficiently")

    // MARK: When

    /// 0 before the first kick, then its step + 1.
    public var initialMemory: SIMD4<Double>? { .zero }

    public func remember(_ memory: inout SIMD4<Double>, at site: Site) {
        if isDue(at: site) { memory[0] = Double(site.step) + 1 }
    }

    private func isDue(at site: Site) -> Bool {
        site.overallGradient.norm <= gradientThreshold.value(at: site.step)
            && (site.memory[0] == 0 || Double(site.step) - (site.memory[0] - 1) > Double(stepThreshold))
    }

    private func kicks(at site: Site) -> Bool { site.memory[0] == Double(site.step) + 1 }

    // MARK: How far

    private func deviation(at site: Site) -> Double {
        site.limited(1, rootMeanSquare: radius.value(at: site.step) / (site.overallSums[1] + 2).squareRoot())
            * radius.value(at: site.step) / (site.overallSums[1] + 2).squareRoot()
    }

    public func variance(at site: Site) -> ElementVariance? {
        guard kicks(at: site) else { return .zero }
        let deviation = deviation(at: site)
        return ElementVariance(constant: deviation * deviation)
    }

    public func bound(at site: Site) -> ElementBound? {
        ElementBound(constant: radius.value(at: site.step) * site.strengthScale)
    }

    /// ‖ξ‖² and n, where a kick is due.
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        guard isDue(at: site) else { return .zero }
        let square = site.noise.sumOfSquares(gradient.count, as: S.self)
        return [square, Double(gradient.count), 0, 0]
    }

    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        guard kicks(at: site), site.overallSums[0] > 0 else { return }
        let dimensions = site.overallSums[1]
        let words = site.noise.shared.draw(1).words(2)
        let uniform = (Double(words[0]) * 0x1p32 + Double(words[1]) + 0.5) * 0x1p-64
        let radius = deviation(at: site) * (dimensions + 2).squareRoot()
        let scale = radius * pow(uniform, 1 / dimensions) / site.overallSums[0].squareRoot()
        terms.append(NoiseDraw(distribution: PK_NORMAL, scale: scale), from: site.noise)
    }
}
