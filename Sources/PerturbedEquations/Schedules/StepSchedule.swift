import Foundation

/// A drop by a factor every n steps: f(t) = a·γ^⌊t/n⌋ (PyTorch's `StepLR`, with `every: {epochs: n}`).
public struct StepSchedule: Schedule, Hashable {
    public var from: Double
    /// γ, the factor at each drop.
    public var factor: Double
    /// n, the steps between drops.
    public var every: StepCount

    public init(from: Double, factor: Double, every: StepCount) {
        self.from = from
        self.factor = factor
        self.every = every
    }

    public func value(at step: Int) -> Double {
        from * pow(factor, Double(step / every.count))
    }

    public func resolved(for run: RunLength) -> StepSchedule {
        StepSchedule(from: from, factor: factor, every: every.resolved(for: run))
    }

    public var needsHorizon: Bool { every.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "step", summary: "A drop by a factor every n steps.", equation: "f(t) = a·γ^⌊t/n⌋",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("factor", "number", allowed: "0 < γ ≤ 1", unit: "per drop", "γ"),
            .init("every", "integer or {epochs: n}", allowed: "≥ 1", unit: "steps", "n"),
        ],
        source: "PyTorch StepLR")

    public func validate() throws {
        try require(from.isFinite, "from", is: from, allowed: "a finite number")
        try require(factor > 0 && factor <= 1, "factor", is: factor, allowed: "0 < factor ≤ 1")
        try requireLength(every, "every")
    }
}
