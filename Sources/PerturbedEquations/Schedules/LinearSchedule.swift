/// A straight line, then flat: f(t) = a + (b − a)·min(t/n, 1).
///
/// PyTorch's `LinearLR` with start_factor a/η, end_factor b/η and total_iters n.
public struct LinearSchedule: Schedule, Hashable {
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
        return from + (to - from) * min(Double(step) / Double(steps), 1)
    }

    public func resolved(for run: RunLength) -> LinearSchedule {
        LinearSchedule(from: from, to: to, steps: steps.resolved(for: run))
    }

    public var needsHorizon: Bool { steps?.known == nil }

    public static let catalogueEntry = CatalogueEntry(
        name: "linear", summary: "A straight line from one value to another, then flat.",
        equation: "f(t) = a + (b − a)·min(t/n, 1)",
        parameters: [
            .init("from", "number", allowed: "finite", unit: "that of the setting", "a"),
            .init("to", "number", allowed: "finite", unit: "that of the setting", "b"),
            .steps("n"),
        ],
        source: "PyTorch LinearLR")

    public func validate() throws {
        try requireEnds(from: from, to: to, steps: steps)
    }
}

extension CatalogueEntry.Parameter {
    /// The length of a schedule.
    static func steps(_ symbol: String) -> Self {
        .init(
            "steps", "integer or {epochs: n}", default: "the length of the run", allowed: "≥ 1",
            unit: "steps",
            "\(symbol), how long it takes")
    }
}

/// The checks that schedules with two ends and a length share.
func requireEnds(from: Double, to: Double, steps: StepCount?) throws {
    try require(from.isFinite, "from", is: from, allowed: "a finite number")
    try require(to.isFinite, "to", is: to, allowed: "a finite number")
    try requireLength(steps)
}

/// The check of a length in steps or epochs.
func requireLength(_ length: StepCount?, _ name: String = "steps", least: Int = 1) throws {
    guard let length else { return }
    try require(length.isAtLeast(least), name, is: length, allowed: StepCount.allowed(least))
}

extension StepCount? {
    /// The length in steps: the whole run's where it was left out.
    func resolved(for run: RunLength) -> StepCount { self?.resolved(for: run) ?? .steps(run.steps) }
}
