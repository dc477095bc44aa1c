/// A number that may change over time: any hyperparameter.
///
/// In Swift a literal, or a schedule; in a configuration a number, or `{name: {…}}`:
///
/// ```swift
/// let constant: Scheduled = 0.01
/// let annealed = Scheduled(CosineSchedule(from: 1e-3, to: 0)).warmup(100)
/// ```
/// ```yaml
/// learningRate: 0.01
/// learningRate: {cosine: {from: 1e-3, to: 0, warmup: 100}}
/// learningRate: {step: {from: 0.1, factor: 0.1, every: {epochs: 30}, warmup: {epochs: 5}}}
/// ```
///
/// `warmup: n` in the settings of any schedule f gives f(0)·(t+1)/(n+1) for t < n and f(t − n) after.
public struct Scheduled: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    public var base: any Schedule {
        didSet { constantBase = (base as? ConstantSchedule)?.value }
    }
    /// The base's value where it is a constant: rules ask for it in every block.
    private var constantBase: Double?
    /// Linear warm-up before the schedule starts.
    public var warmupLength: StepCount

    public init(_ base: any Schedule, warmup: StepCount = 0) {
        self.base = base
        warmupLength = warmup
        constantBase = (base as? ConstantSchedule)?.value
    }

    public init(_ value: Double) {
        self.init(ConstantSchedule(value))
    }

    public init(floatLiteral value: Double) {
        self.init(value)
    }

    public init(integerLiteral value: Int) {
        self.init(Double(value))
    }

    /// The value at logical step `step`.
    public func value(at step: Int) -> Double {
        if let constant { return constant }
        guard let warmup = warmupLength.known else { return base.value(at: 0) }
        if step < warmup {
            return base.value(at: 0) * (Double(step) + 1) / (Double(warmup) + 1)
        }
        return base.value(at: step - warmup)
    }

    /// The same schedule after a linear warm-up.
    public func warmup(_ length: StepCount) -> Scheduled {
        Scheduled(base, warmup: length)
    }

    /// This schedule for `steps` steps or epochs, then `next` (whose time starts at 0 there).
    public func then(at steps: StepCount, _ next: Scheduled) -> Scheduled {
        Scheduled(SequenceSchedule([.init(self, for: steps), .init(next, for: nil)]))
    }

    /// Fills in lengths that were left out, for a run of that length (`warmup` included), and says those in epochs in
    /// steps.
    public func resolved(for run: RunLength) -> Scheduled {
        let warmup = warmupLength.resolved(for: run)
        let rest = run.of(steps: max(1, run.steps - (warmup.known ?? 0)))
        return Scheduled((base as any Schedule).resolved(for: rest), warmup: warmup)
    }

    public func resolved(horizon: Int) -> Scheduled { resolved(for: RunLength(steps: horizon)) }

    /// Whether a length is not known yet: it was left out, or is in epochs.
    public var needsHorizon: Bool { base.needsHorizon || warmupLength.known == nil }

    /// The constant that this is, if it is one.
    public var constant: Double? {
        warmupLength == 0 ? constantBase : nil
    }

    public static func * (a: Scheduled, b: Scheduled) -> Scheduled {
        Scheduled(ProductSchedule([a, b]))
    }

    public static func + (a: Scheduled, b: Scheduled) -> Scheduled {
        Scheduled(SumSchedule([a, b]))
    }
}

extension Scheduled {
    /// Refuses settings of the schedule outside their range.
    func validate() throws {
        try base.validate()
        try requireLength(warmupLength, "warmup", least: 0)
    }

    /// Where a schedule's values are looked at before a run: up to the last step there can be.
    static let sampledSteps = [
        0, 1, 2, 3, 5, 10, 30, 100, 300, 1000, 3000, 10000,
        30_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 1 << 32 - 1,
    ]

    /// Refuses a schedule whose first, middle or last value is outside `range`.
    ///
    /// A constant is checked exactly; another schedule where it can be sampled: at its start, and at growing
    /// distances up to the last step there can be, 2³², once its length is known. Beyond 10,000 steps 0 is
    /// allowed too: an exponential may underflow where no run goes.
    package func require(_ name: String, in range: ClosedRange<Double>, allowed: String) throws {
        // A bare number is checked below, under its own name and with its own range.
        if constant == nil { try within(name) { try validate() } }
        for step in needsHorizon ? [0] : Self.sampledSteps {
            let value = value(at: step)
            guard (range.contains(value) && value.isFinite) || (value == 0 && step > 10_000) else {
                let when = constant == nil ? " at step \(step)" : ""
                throw ConfigurationError("is \(value)\(when); allowed: \(allowed)", path: name)
            }
        }
    }
}

extension Scheduled: Codable {
    public init(from decoder: any Decoder) throws {
        if let value = try? decoder.singleValueContainer().decode(Double.self) {
            self.init(value)
            return
        }
        let base = try decodeNamed(
            decoder, kind: "schedule", among: decoder.catalogue.schedules, as: (any Schedule).self)
        var warmup: StepCount = 0
        if let container = try? decoder.container(keyedBy: NamedKey.self), let name = container.allKeys.first,
            let settings = try? container.nestedContainer(keyedBy: NamedKey.self, forKey: name)
        {
            warmup = try settings.decode(NamedKey("warmup"), default: 0)
        }
        try requireLength(warmup, "warmup", least: 0)
        self.init(base, warmup: warmup)
    }

    public func encode(to encoder: any Encoder) throws {
        if encoder.userInfo[.refusesMissingLengths] != nil && needsHorizon {
            throw MissingLength(path: encoder.codingPath)
        }
        if let constant {
            var container = encoder.singleValueContainer()
            try container.encode(constant)
            return
        }
        var container = encoder.container(keyedBy: NamedKey.self)
        let inner = container.superEncoder(forKey: NamedKey(type(of: base).catalogueEntry.name))
        try base.encode(to: inner)
        if warmupLength != 0 {
            var settings = inner.container(keyedBy: NamedKey.self)
            try settings.encode(warmupLength, forKey: NamedKey("warmup"))
        }
    }
}
