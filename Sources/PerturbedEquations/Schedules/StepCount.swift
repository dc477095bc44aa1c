/// A length of time, in logical steps or in epochs of the training data.
///
/// ```yaml
/// every: 1000
/// every: {epochs: 30}
/// warmup: {epochs: 0.5}
/// ```
///
/// n epochs are n times the batches of one, rounded to the nearest step.
public enum StepCount: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    case steps(Int)
    /// Fractions are allowed.
    case epochs(Double)

    public init(integerLiteral value: Int) { self = .steps(value) }

    /// The number of steps; nil while the length of an epoch is not known.
    public var known: Int? { if case .steps(let count) = self { count } else { nil } }

    /// The number of steps, or a length that never ends while it is not known.
    var count: Int { known ?? .max }

    /// The same in steps, where the run tells how long an epoch is.
    func resolved(for run: RunLength) -> StepCount {
        guard case .epochs(let epochs) = self, let length = run.stepsPerEpoch else { return self }
        return .steps(Int(min((epochs * Double(length)).rounded(), 0x1p62)))
    }

    /// Whether this many steps or epochs are at least `least` steps, or any time at all.
    func isAtLeast(_ least: Int) -> Bool {
        switch self {
        case .steps(let count): count >= least
        case .epochs(let epochs): (least > 0 ? epochs > 0 : epochs >= 0) && epochs <= 1e9
        }
    }

    /// Whether this is known to be no later than `other`.
    func comes(beforeOrAt other: StepCount) -> Bool {
        switch (self, other) {
        case (.steps(let a), .steps(let b)): a <= b
        case (.epochs(let a), .epochs(let b)): a <= b
        default: false
        }
    }

    /// What ``isAtLeast(_:)`` allows.
    static func allowed(_ least: Int) -> String {
        "a whole number ≥ \(least), or {epochs: n} with n \(least > 0 ? ">" : "≥") 0"
    }

    public var description: String {
        switch self {
        case .steps(let count): "\(count)"
        case .epochs(let epochs): "{epochs: \(epochs)}"
        }
    }
}

extension StepCount: Codable {
    private enum CodingKeys: String, CodingKey { case steps, epochs }

    public init(from decoder: any Decoder) throws {
        if let count = try? decoder.singleValueContainer().decode(Int.self) {
            self = .steps(count)
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let steps = try container.decodeIfPresent(Int.self, forKey: .steps)
        let epochs = try container.decodeIfPresent(Double.self, forKey: .epochs)
        switch (steps, epochs) {
        case (let count?, nil): self = .steps(count)
        case (nil, let count?): self = .epochs(count)
        default:
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "give one of 'steps' and 'epochs', or a whole number of steps"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .steps(let count):
            var container = encoder.singleValueContainer()
            try container.encode(count)
        case .epochs(let epochs):
            var container = encoder.container(keyedBy: CodingKeys.self)
            if let whole = Int(exactly: epochs) {
                try container.encode(whole, forKey: .epochs)
            } else {
                try container.encode(epochs, forKey: .epochs)
            }
        }
    }
}

/// How long a run is, for schedules that follow it.
public struct RunLength: Sendable, Hashable {
    /// Logical steps of the run.
    public var steps: Int
    /// Logical steps of one epoch; nil where there are no epochs.
    public var stepsPerEpoch: Int?

    public init(steps: Int, stepsPerEpoch: Int? = nil) {
        self.steps = steps
        self.stepsPerEpoch = stepsPerEpoch
    }

    /// Another length, with epochs as long.
    func of(steps: Int) -> RunLength { RunLength(steps: steps, stepsPerEpoch: stepsPerEpoch) }
}
