import Foundation

/// A power law: f(t) = a/(1 + t)^p.
///
/// As a σ schedule this is a law for the standard deviation. Neelakantan's law for the variance,
/// σ² = η/(1 + t)^γ, is a = √η and p = γ/2: see `AnnealedGradientNoiseSchedule`.
public struct InversePowerSchedule: Schedule, Hashable {
    public var from: Double
    /// p.
    public var exponent: Double

    public init(from: Double, exponent: Double) {
        self.from = from
        self.exponent = exponent
    }

    public func value(at step: Int) -> Double {
        from / pow(1 + Double(step), exponent)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "inversePower", summary: "A power law in the step.", equation: "f(t) = a/(1 + t)^p",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("exponent", "number", allowed: "≥ 0", "p"),
        ],
        source: "Robbins and Monro 1951, A Stochastic Approximation Method")

    public func validate() throws {
        try require(from.isFinite, "from", is: from, allowed: "a finite number")
        try require(
            exponent >= 0 && exponent.isFinite, "exponent", is: exponent, allowed: "a finite number ≥ 0")
    }
}
