import Foundation

/// Up to a peak and down to nearly nothing, each by half a cosine: PyTorch's `OneCycleLR`.
///
/// ```
/// a = c/d, b = a/e, u = r·n − 1, w = n − 1
/// f(t) = a + (c − a)·½(1 − cos(π·t/u))               t ≤ u          from a up to the peak c
/// f(t) = b + (c − b)·½(1 + cos(π·(t − u)/(w − u)))   u < t ≤ w      down to b
/// f(t) = b                                           t > w
/// ```
///
/// Where r·n ≤ 1 there is no time to rise, and the schedule starts at the peak.
public struct OneCycleSchedule: Schedule, Hashable {
    /// c.
    public var peak: Double
    /// d: the first value is peak/d.
    public var divisor: Double
    /// e: the last value is the first divided by e.
    public var finalDivisor: Double
    /// r, the share of the run in which the value rises.
    public var riseFraction: Double
    /// n; nil means the length of the run.
    public var steps: StepCount?

    public init(
        peak: Double, divisor: Double = 25, finalDivisor: Double = 10000, riseFraction: Double = 0.3,
        steps: StepCount? = nil
    ) {
        self.peak = peak
        self.divisor = divisor
        self.finalDivisor = finalDivisor
        self.riseFraction = riseFraction
        self.steps = steps
    }

    public func value(at step: Int) -> Double {
        let first = peak / divisor
        guard let steps = steps?.known else { return first }
        let last = first / finalDivisor
        let (t, end) = (Double(step), Double(steps) - 1)
        guard t < end else { return last }
        let top = max(riseFraction * Double(steps) - 1, 0)
        return t < top
            ? first + (peak - first) * 0.5 * (1 - cos(.pi * t / top))
            : last + (peak - last) * 0.5 * (1 + cos(.pi * (t - top) / (end - top)))
    }

    public func resolved(for run: RunLength) -> OneCycleSchedule {
        OneCycleSchedule(
            peak: peak, divisor: divisor, finalDivisor: finalDivisor, riseFraction: riseFraction,
            steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "oneCycle", summary: "Up to a peak and down to nearly nothing.",
        equation: "f(t) = c/d up to c for t ≤ r·n − 1, then down to c/(d·e) at t = n − 1, by half cosines",
        parameters: [
            .init("peak", "number", allowed: "finite", unit: "that of the setting", "c"),
            .init("divisor", "number", default: "25", allowed: "≥ 1", "d: the first value is c/d"),
            .init(
                "finalDivisor", "number", default: "10000", allowed: "≥ 1",
                "e: the last value is the first divided by e"),
            .init("riseFraction", "number", default: "0.3", allowed: "0 ≤ r < 1", "r, the share of the rise"),
            .steps("n"),
        ],
        source: "Smith and Topin 2019, Super-Convergence: Very Fast Training Using Large Learning Rates")

    public func validate() throws {
        try require(peak.isFinite, "peak", is: peak, allowed: "a finite number")
        try requireLength(steps)
        for (name, value) in [("divisor", divisor), ("finalDivisor", finalDivisor)] {
            try require(value >= 1 && value.isFinite, name, is: value, allowed: "a finite number ≥ 1")
        }
        try require(
            riseFraction >= 0 && riseFraction < 1, "riseFraction", is: riseFraction,
            allowed: "0 ≤ riseFraction < 1")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            peak: try container.decode(Double.self, forKey: .peak),
            divisor: try container.decode(.divisor, default: 25),
            finalDivisor: try container.decode(.finalDivisor, default: 10000),
            riseFraction: try container.decode(.riseFraction, default: 0.3),
            steps: try container.decodeIfPresent(StepCount.self, forKey: .steps))
    }
}
