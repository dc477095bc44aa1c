import Foundation

/// Keeps the perturbation at a share of the gradient, or of the update.
///
/// Every n steps, with r the measured ratio:
///
/// factor ← clamp(factor·(target/r)^gain, minimum, maximum) on every noise strength.
///
/// `of: gradient`: r = ‖δ‖/‖g‖ over all parameters, δ after the bounds and g after clipping. `of: update`:
/// r = ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖, the effective perturbation: what the rule makes of it. While a bound scales δ down, or
/// σ_max a strength, the factor does not grow. A ratio that the strengths do not decide (a weight penalty's share) cannot be controlled; a
/// strength that a schedule takes to 0 is better replaced by a scheduled target. Each rollback's cut is a cut of the
/// target too.
///
/// ```yaml
/// controllers:
///   - targetNoiseRatio: {target: {cosine: {from: 0.3, to: 0.01}}, of: update}
/// ```
///
/// Source: none needed; compare the adaptive scaling of Plappert et al. 2018.
public struct TargetNoiseRatio: Controller {
    /// What the ratio is measured on.
    public enum Measure: String, Sendable, Codable, CaseIterable {
        case gradient, update
    }

    /// The ratio to keep, > 0.
    public var target: Scheduled
    public var of: Measure
    /// n, steps between measurements, ≥ 1. A measurement of `update` runs the rule twice more.
    public var every: Int
    /// 0 < gain ≤ 1: 1 corrects at once, less averages over a few measurements.
    public var gain: Double
    public var minimum: Double
    public var maximum: Double

    public init(
        target: Scheduled, of: Measure = .gradient, every: Int = 10, gain: Double = 0.5, minimum: Double = 0,
        maximum: Double = 1e6
    ) {
        self.target = target
        self.of = of
        self.every = every
        self.gain = gain
        self.minimum = minimum
        self.maximum = maximum
    }

    public var scales: ControlledQuantity { .sigma }
    public var followsPerturbation: Bool { true }

    public func needs(at step: Int) -> ControllerNeeds {
        guard step % every == 0 else { return [] }
        return of == .gradient ? .norms : .effect
    }

    public func observe(_ observation: Observation, _ state: inout ControllerState) {
        guard observation.step % every == 0 else { return }
        let ratio: Double
        switch of {
        case .gradient:
            guard let gradient = observation.gradientNorm, let delta = observation.perturbationNorm else {
                return
            }
            ratio = delta / gradient
        case .update:
            guard let effect = observation.effect else { return }
            ratio = effect.ratio
        }
        guard ratio > 0, ratio.isFinite else { return }
        state["ratio"] = ratio
        let aim = target.value(at: observation.step) * observation.strengthScale
        let change = pow(aim / ratio, gain)
        if change > 1 && observation.isBounded { return }
        state.multiply(by: change, in: minimum...maximum)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&target)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "targetNoiseRatio",
        summary: "Keeps the perturbation at a share of the gradient or of the update.",
        equation: "σ-factor ← factor·(target/r)^gain, r = ‖δ‖/‖g‖ or ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖",
        parameters: [
            .init("target", "schedule", allowed: "> 0", "the ratio to keep"),
            .init("of", "name", default: "gradient", allowed: "gradient, update", "which of the two ratios"),
            .init("every", "integer", default: "10", allowed: "≥ 1", unit: "steps", "between measurements"),
            .init("gain", "number", default: "0.5", allowed: "0 < gain ≤ 1", "how much is corrected at once"),
            .minimum("0"), .maximum("1000000"),
        ], source: "none needed; compare Plappert et al. 2018, Parameter Space Noise for Exploration")

    public func validate() throws {
        try target.require(
            "target", in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite ratio > 0")
        try ControllerChecks.count("every", every, atLeast: 1)
        try require(gain > 0 && gain <= 1, "gain", is: gain, allowed: "0 < gain ≤ 1")
        try ControllerChecks.range(minimum, maximum)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            target: try container.decode(Scheduled.self, forKey: .target),
            of: try container.decode(.of, default: .gradient),
            every: try container.decode(.every, default: 10),
            gain: try container.decode(.gain, default: 0.5),
            minimum: try container.decode(.minimum, default: 0),
            maximum: try container.decode(.maximum, default: 1e6))
    }
}
