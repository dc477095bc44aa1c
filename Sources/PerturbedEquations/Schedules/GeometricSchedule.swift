import Foundation

/// By a constant factor from one value to another, then flat: f(t) = a·(b/a)^min(t/n, 1).
///
/// A rising one is a ramp over orders of magnitude, a falling one the levels of Song and Ermon (2019), "Generative modeling
/// by estimating gradients of the data distribution".
public struct GeometricSchedule: Schedule, Hashable {
    public var from: Double
    public var to: Double
    /// n; nil means the length of the run.
    public var steps: StepCount?

    public init(from: Double, to: Double, steps: StepCount? = nil) {
        self.from = from
        self.to = to
        self.steps = steps
    }

    public func value(at step: Int) -> Double {
        guard let steps = steps?.known else { return from }
        return from * pow(to / from, min(Double(step) / Double(steps), 1))
    }

    public func resolved(for run: RunLength) -> GeometricSchedule {
        GeometricSchedule(from: from, to: to, steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "geometric", summary: "By a constant factor from one value to another, then flat.",
        equation: "f(t) = a·(b/a)^min(t/n, 1)",
        parameters: [
            .init("from", "number", allowed: "> 0", unit: "that of the setting", "a"),
            .init("to", "number", allowed: "> 0", unit: "that of the setting", "b"),
            .steps("n"),
        ],
        source: "Song, Ermon 2019, Generative Modeling by Estimating Gradients of the Data Distribution")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: steps)
        try require(from > 0, "from", is: from, allowed: "more than 0")
        try require(to > 0, "to", is: to, allowed: "more than 0")
    }
}
