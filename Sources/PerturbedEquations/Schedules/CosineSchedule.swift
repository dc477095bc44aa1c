import Foundation

/// Half a cosine, then flat: f(t) = b + (a − b)·½(1 + cos(π·min(t/n, 1))).
///
/// PyTorch's `CosineAnnealingLR` with T_max = n and eta_min = b over its first n steps.
public struct CosineSchedule: Schedule, Hashable {
    public var from: Double
    public var to: Double
    /// n; nil means the length of the run.
    public var steps: StepCount?

    public init(from: Double, to: Double = 0, steps: StepCount? = nil) {
        self.from = from
        self.to = to
        self.steps = steps
    }

    public func value(at step: Int) -> Double {
        guard let steps = steps?.known else { return from }
        return to + (from - to) * 0.5 * (1 + cos(.pi * min(Double(step) / Double(steps), 1)))
    }

    public func resolved(for run: RunLength) -> CosineSchedule {
        CosineSchedule(from: from, to: to, steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "cosine", summary: "Half a cosine from one value to another, then flat.",
        equation: "f(t) = b + (a − b)·½(1 + cos(π·min(t/n, 1)))",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("to", "number", default: "0", allowed: "finite", unit: "that of the setting", "b"),
            .steps("n"),
        ],
        source: "Loshchilov and Hutter 2017, SGDR: Stochastic Gradient Descent with Warm Restarts")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: steps)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            from: try container.decode(Double.self, forKey: .from), to: try container.decode(.to, default: 0),
            steps: try container.decodeIfPresent(StepCount.self, forKey: .steps))
    }
}
