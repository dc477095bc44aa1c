import Foundation

/// A power of the time that is left, then flat: f(t) = b + (a − b)·(1 − min(t/n, 1))^p.
///
/// With b = 0 it is PyTorch's `PolynomialLR` with total_iters = n and power = p. p = 1 is a straight line.
public struct PolynomialSchedule: Schedule, Hashable {
    public var from: Double
    public var to: Double
    /// p.
    public var power: Double
    /// n; nil means the length of the run.
    public var steps: StepCount?

    public init(from: Double, to: Double = 0, power: Double = 1, steps: StepCount? = nil) {
        self.from = from
        self.to = to
        self.power = power
        self.steps = steps
    }

    public func value(at step: Int) -> Double {
        guard let steps = steps?.known else { return from }
        return to + (from - to) * pow(1 - min(Double(step) / Double(steps), 1), power)
    }

    public func resolved(for run: RunLength) -> PolynomialSchedule {
        PolynomialSchedule(from: from, to: to, power: power, steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "polynomial", summary: "A power of the time that is left, then flat.",
        equation: "f(t) = b + (a − b)·(1 − min(t/n, 1))^p",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("to", "number", default: "0", allowed: "finite", unit: "that of the setting", "b"),
            .init("power", "number", default: "1", allowed: "> 0", "p"), .steps("n"),
        ],
        source: "PyTorch PolynomialLR; Chen et al. 2017, DeepLab, section 4.1")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: steps)
        try require(power > 0 && power.isFinite, "power", is: power, allowed: "a finite number > 0")
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            from: try container.decode(Double.self, forKey: .from), to: try container.decode(.to, default: 0),
            power: try container.decode(.power, default: 1),
            steps: try container.decodeIfPresent(StepCount.self, forKey: .steps))
    }
}
