/// A value over time: a pure function of the step, so that a resumed run needs only the step.
public protocol Schedule: Catalogued {
    /// The value at logical step `step` (0, 1, 2…).
    func value(at step: Int) -> Double

    /// The same schedule over a run of `horizon` steps: fills in a length that was left out.
    func resolved(horizon: Int) -> Self

    /// Whether a length was left out and not filled in yet.
    var needsHorizon: Bool { get }
}

extension Schedule {
    public func resolved(horizon: Int) -> Self { self }
    public var needsHorizon: Bool { false }
}
