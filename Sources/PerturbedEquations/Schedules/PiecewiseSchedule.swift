/// A value for each stretch of time: f(t) = vₖ for tₖ ≤ t < tₖ₊₁, with t₀ = 0.
///
/// With vₖ = a·γᵏ it is PyTorch's `MultiStepLR` with milestones t₁, t₂… For other functions in each stretch use
/// `SequenceSchedule`.
///
/// ```yaml
/// learningRate: {piecewise: {values: [0.1, 0.01, 0.001], boundaries: [3000, 4500]}}
/// ```
public struct PiecewiseSchedule: Schedule, Hashable {
    /// v₀, v₁…: one more than the boundaries.
    public var values: [Double]
    /// t₁ < t₂ < …: the first step of each value after the first.
    public var boundaries: [StepCount]

    public init(_ values: [Double], boundaries: [StepCount]) {
        self.values = values
        self.boundaries = boundaries
    }

    public func value(at step: Int) -> Double {
        values[boundaries.firstIndex { step < $0.count } ?? boundaries.count]
    }

    public func resolved(for run: RunLength) -> PiecewiseSchedule {
        PiecewiseSchedule(values, boundaries: boundaries.map { $0.resolved(for: run) })
    }

    public var needsHorizon: Bool { boundaries.contains { $0.known == nil } }

    public static let catalogueEntry = CatalogueEntry(
        name: "piecewise", summary: "A value for each stretch of time.",
        equation: "f(t) = vₖ for tₖ ≤ t < tₖ₊₁, t₀ = 0",
        parameters: [
            .init(
                "values", "list of numbers", allowed: "finite, one more than boundaries",
                unit: "that of the setting", "v₀, v₁…"),
            .init(
                "boundaries", "list of integers or {epochs: n}", allowed: "≥ 1, rising", unit: "steps",
                "t₁, t₂…, the first step of each later value"),
        ],
        source: "PyTorch MultiStepLR; optax piecewise_constant_schedule")

    public func validate() throws {
        try require(
            values.count == boundaries.count + 1, "values",
            is: "\(values.count) numbers for \(boundaries.count) boundaries",
            allowed: "one value more than there are boundaries")
        for value in values { try require(value.isFinite, "values", is: value, allowed: "finite numbers") }
        for (first, second) in zip([0] + boundaries, boundaries) {
            try require(
                second.isAtLeast(1) && !second.comes(beforeOrAt: first), "boundaries", is: boundaries,
                allowed: "whole numbers ≥ 1 or {epochs: n}, each later than the one before")
        }
    }
}
