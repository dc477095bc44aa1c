import Foundation

/// Geometric decay: f(t) = a·γᵗ (PyTorch's `ExponentialLR`).
public struct ExponentialSchedule: Schedule, Hashable {
    public var from: Double
    /// γ, the factor per step.
    public var factor: Double

    public init(from: Double, factor: Double) {
        self.from = from
        self.factor = factor
    }

    public func value(at step: Int) -> Double {
        from * pow(factor, Double(step))
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "exponential", summary: "Multiplied by a factor at every step.", equation: "f(t) = a·γᵗ",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("factor", "number", allowed: "0 < γ ≤ 1", unit: "per step", "γ"),
        ],
        source: "PyTorch ExponentialLR")

    public func validate() throws {
        try require(from.isFinite, "from", is: from, allowed: "a finite number")
        try require(factor > 0 && factor <= 1, "factor", is: factor, allowed: "0 < factor ≤ 1")
    }
}
