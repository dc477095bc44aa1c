/// Keeps the distance that a step, or its perturbation, moves θ near a target.
///
/// Every n steps, with d the measured distance relative to ‖θ‖, over all parameters:
///
/// factor ← α·factor if d ≤ target, else factor/α; within minimum … maximum.
///
/// `of: perturbation`: d = ‖ηD(g+δ) − ηD(g)‖/‖θ‖, between where the step ends with the perturbation and without, as in
/// the source; `of: step`: d = ‖ηD(g+δ)‖/‖θ‖. Both before the trust region. A step in which the perturbation did nothing
/// says nothing of its distance. Where the factor is on the strengths, each rollback's cut is a cut of the target too,
/// and while a bound scales δ down, or σ_max a strength, the factor does not grow.
///
/// Source: the rule of Plappert et al. 2018, Parameter Space Noise for Exploration, section 3 (α = 1.01).
public struct ParameterDistance: Controller {
    /// Which distance.
    public enum Measure: String, Sendable, Codable, CaseIterable {
        case perturbation, step
    }

    public var scales: ControlledQuantity
    /// The distance to keep, relative to ‖θ‖, > 0.
    public var target: Scheduled
    public var of: Measure
    /// n, steps between measurements, ≥ 1. A measurement runs the rule twice more.
    public var every: Int
    /// α, > 1.
    public var rate: Double
    public var minimum: Double
    public var maximum: Double

    public init(
        scales: ControlledQuantity = .sigma, target: Scheduled, of: Measure = .perturbation, every: Int = 10,
        rate: Double = 1.01, minimum: Double = 0, maximum: Double = 1e6
    ) {
        self.scales = scales
        self.target = target
        self.of = of
        self.every = every
        self.rate = rate
        self.minimum = minimum
        self.maximum = maximum
    }

    public var followsPerturbation: Bool { of == .perturbation }

    public func needs(at step: Int) -> ControllerNeeds { step % every == 0 ? .effect : [] }

    public func observe(_ observation: Observation, _ state: inout ControllerState) {
        guard observation.step % every == 0, let effect = observation.effect, effect.parameters > 0 else {
            return
        }
        let distance = (of == .step ? effect.step : effect.perturbation) / effect.parameters
        guard distance.isFinite, of == .step || distance > 0 else { return }
        state["distance"] = distance
        let cut = scales == .sigma ? observation.strengthScale : 1
        let isNear = distance <= target.value(at: observation.step) * cut
        if isNear && scales == .sigma && observation.isBounded { return }
        state.multiply(by: isNear ? rate : 1 / rate, in: minimum...maximum)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&target)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "parameterDistance",
        summary: "Keeps the distance that a step or its perturbation moves θ near a target.",
        equation:
            "factor ← α·factor if d ≤ target, else factor/α; d = ‖ηD(g+δ) − ηD(g)‖/‖θ‖ or ‖ηD(g+δ)‖/‖θ‖",
        parameters: [
            .scales, .init("target", "schedule", allowed: "> 0", unit: "‖θ‖", "the distance to keep"),
            .init("of", "name", default: "perturbation", allowed: "perturbation, step", "which distance"),
            .init("every", "integer", default: "10", allowed: "≥ 1", unit: "steps", "between measurements"),
            .init("rate", "number", default: "1.01", allowed: "> 1", "α"), .minimum("0"), .maximum("1000000"),
        ], source: "Plappert et al. 2018, Parameter Space Noise for Exploration")

    public func validate() throws {
        try target.require(
            "target", in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite distance > 0")
        try ControllerChecks.count("every", every, atLeast: 1)
        try require(rate > 1 && rate.isFinite, "rate", is: rate, allowed: "a finite number > 1")
        try ControllerChecks.range(minimum, maximum)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            scales: try container.decode(.scales, default: .sigma),
            target: try container.decode(Scheduled.self, forKey: .target),
            of: try container.decode(.of, default: .perturbation),
            every: try container.decode(.every, default: 10),
            rate: try container.decode(.rate, default: 1.01),
            minimum: try container.decode(.minimum, default: 0),
            maximum: try container.decode(.maximum, default: 1e6))
    }
}
