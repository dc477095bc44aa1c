import Foundation

/// Half cosines with warm restarts: f(t) = b + (a − b)·½(1 + cos(π·u/T)).
///
/// T is the length of the current period and u the steps since its start: the first period has length n, and
/// each later one is m times as long as the one before. PyTorch's `CosineAnnealingWarmRestarts` with T_0 = n,
/// T_mult = m and eta_min = b.
///
/// ```swift
/// let sgdr = CosineRestartsSchedule(from: 0.1, period: 10, periodFactor: 2)  // periods of 10, 20, 40… steps
/// ```
public struct CosineRestartsSchedule: Schedule, Hashable {
    public var from: Double
    public var to: Double
    /// n, the steps of the first period.
    public var period: StepCount
    /// m, by how much each period is longer than the one before; 1 for equal periods.
    public var periodFactor: Int

    public init(from: Double, to: Double = 0, period: StepCount, periodFactor: Int = 1) {
        self.from = from
        self.to = to
        self.period = period
        self.periodFactor = periodFactor
    }

    public func value(at step: Int) -> Double {
        var left = step
        var length = period.count
        if periodFactor == 1 {
            left %= length
        } else {
            while left >= length {
                left -= length
                let (longer, overflows) = length.multipliedReportingOverflow(by: periodFactor)
                length = overflows ? .max : longer
            }
        }
        return to + (from - to) * 0.5 * (1 + cos(.pi * Double(left) / Double(length)))
    }

    public func resolved(for run: RunLength) -> CosineRestartsSchedule {
        CosineRestartsSchedule(
            from: from, to: to, period: period.resolved(for: run), periodFactor: periodFactor)
    }

    public var needsHorizon: Bool { period.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "cosineRestarts", summary: "Half cosines from one value to another, again and again.",
        equation: "f(t) = b + (a − b)·½(1 + cos(π·u/T)), u steps into a period; T = n, then n·m, n·m²…",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("to", "number", default: "0", allowed: "finite", unit: "that of the setting", "b"),
            .init("period", "integer or {epochs: n}", allowed: "≥ 1", unit: "steps", "n, the first period"),
            .init(
                "periodFactor", "integer", default: "1", allowed: "≥ 1",
                "m, how much longer each period is than the one before"),
        ],
        source: "Loshchilov and Hutter 2017, SGDR: Stochastic Gradient Descent with Warm Restarts")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: nil)
        try requireLength(period, "period")
        try require(periodFactor >= 1, "periodFactor", is: periodFactor, allowed: "a whole number ≥ 1")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            from: try container.decode(Double.self, forKey: .from), to: try container.decode(.to, default: 0),
            period: try container.decode(StepCount.self, forKey: .period),
            periodFactor: try container.decode(.periodFactor, default: 1))
    }
}
