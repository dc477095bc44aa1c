import Foundation

/// Falls, then rises over the last part of the run: strong smoothing of the loss where the run ends.
///
/// With m = (1 − r)·n, the step at which the rise begins:
///
/// ```
/// f(t) = b + (a − b)·½(1 + cos(π·t/m))               t < m          from a down to b
/// f(t) = b + (c − b)·½(1 − cos(π·(t − m)/(n − m)))   m ≤ t < n      from b up to c
/// f(t) = c                                           t ≥ n
/// ```
///
/// For a noise strength: noise that stays while the minimum is chosen moves θ towards flat places, since it is
/// the loss averaged over the noise, E[L(θ + ξ)], that falls. What is wanted is θ's average then, not its last
/// value.
public struct RiseNearTheEndSchedule: Schedule, Hashable {
    /// a.
    public var from: Double
    /// b, reached when the rise begins.
    public var low: Double
    /// c, reached at the end.
    public var to: Double
    /// r, the share of the run that the rise takes, 0 < r < 1.
    public var fraction: Double
    /// n; nil means the length of the run.
    public var steps: StepCount?

    public init(from: Double, low: Double = 0, to: Double, fraction: Double = 0.1, steps: StepCount? = nil) {
        self.from = from
        self.low = low
        self.to = to
        self.fraction = fraction
        self.steps = steps
    }

    public func value(at step: Int) -> Double {
        guard let steps = steps?.known else { return from }
        let (t, n) = (Double(step), Double(steps))
        guard t < n else { return to }
        let turn = (1 - fraction) * n
        return t < turn
            ? low + (from - low) * 0.5 * (1 + cos(.pi * t / turn))
            : low + (to - low) * 0.5 * (1 - cos(.pi * (t - turn) / (n - turn)))
    }

    public func resolved(for run: RunLength) -> RiseNearTheEndSchedule {
        RiseNearTheEndSchedule(
            from: from, low: low, to: to, fraction: fraction, steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "riseNearTheEnd", summary: "Falls, then rises over the last part of the run.",
        equation:
            "f(t) = b + (a − b)·½(1 + cos(πt/m)) for t < m = (1−r)n; then b + (c − b)·½(1 − cos(π(t−m)/(n−m))); "
            + "c for t ≥ n",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("low", "number", default: "0", allowed: "finite", unit: "that of the setting", "b"),
            .init("to", "number", allowed: "finite", unit: "that of the setting", "c"),
            .init("fraction", "number", default: "0.1", allowed: "0 < r < 1", "r, the share of the rise"),
            .steps("n"),
        ],
        source: "compare Duchi et al. 2012, Randomized Smoothing for Stochastic Optimization")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: steps)
        try require(low.isFinite, "low", is: low, allowed: "a finite number")
        try require(fraction > 0 && fraction < 1, "fraction", is: fraction, allowed: "0 < fraction < 1")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            from: try container.decode(Double.self, forKey: .from),
            low: try container.decode(.low, default: 0),
            to: try container.decode(Double.self, forKey: .to),
            fraction: try container.decode(.fraction, default: 0.1),
            steps: try container.decodeIfPresent(StepCount.self, forKey: .steps))
    }
}
