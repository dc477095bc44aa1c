/// A value over time: a pure function of the step, so that a resumed run needs only the step.
public protocol Schedule: Catalogued {
    /// The value at logical step `step` (0, 1, 2…).
    func value(at step: Int) -> Double

    /// The same schedule over a run: fills in a length that was left out, and says those in epochs in steps.
    func resolved(for run: RunLength) -> Self

    /// Whether a length is not known yet: it was left out, or is in epochs.
    var needsHorizon: Bool { get }
}

extension Schedule {
    public func resolved(for _: RunLength) -> Self { self }
    public func resolved(horizon: Int) -> Self { resolved(for: RunLength(steps: horizon)) }
    public var needsHorizon: Bool { false }
}
