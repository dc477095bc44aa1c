/// How strong a noise is: a standard deviation σ(t), in gradient units.
///
/// - `absolute(s)`: σ = s(t).
/// - `relative(r, .tensor)`: σ = r(t)·RMS(g) of the same tensor, RMS(g) = ‖g‖/√n, after clipping.
/// - `relative(r, .all)`: the same with the RMS over all parameters of the optimizer.
///
/// The noise enters inside the learning rate: it moves θ by η·D(σξ).
///
/// ```yaml
/// sigma: 0.01                                    # absolute
/// sigma: {annealedGradientNoise: {eta: 0.01}}    # absolute, scheduled
/// sigma: {relative: 0.1}                         # a tenth of each tensor's RMS gradient
/// sigma: {relative: 0.1, over: all}
/// ```
public enum Strength: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// What a relative strength is measured against.
    public enum Scope: String, Sendable, Codable, CaseIterable {
        case tensor
        case all
    }

    case absolute(Scheduled)
    case relative(Scheduled, Scope)

    public init(floatLiteral value: Double) {
        self = .absolute(Scheduled(value))
    }

    public init(integerLiteral value: Int) {
        self = .absolute(Scheduled(Double(value)))
    }

    /// `relative` to each tensor.
    public static func relative(_ ratio: Scheduled) -> Strength {
        .relative(ratio, .tensor)
    }

    package var schedule: Scheduled {
        get {
            switch self {
            case .absolute(let s), .relative(let s, _): s
            }
        }
        set {
            switch self {
            case .absolute: self = .absolute(newValue)
            case .relative(_, let scope): self = .relative(newValue, scope)
            }
        }
    }

    package var requirements: Requirements {
        switch self {
        case .absolute: []
        case .relative(_, .tensor): .tensorGradient
        case .relative(_, .all): .overallGradient
        }
    }

    package func require(_ name: String) throws {
        try schedule.require(
            name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite standard deviation ≥ 0")
    }

    /// The parameter of a catalogue entry that describes a strength.
    package static func catalogueParameter(_ name: String, _ meaning: String) -> CatalogueEntry.Parameter {
        .init(
            name, "strength", allowed: "≥ 0: a number, a schedule, or {relative: r, over: tensor|all}",
            unit: "gradient units, a standard deviation", meaning)
    }
}

extension Strength: Codable {
    private enum CodingKeys: String, CodingKey {
        case relative, over
    }

    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: CodingKeys.self), container.contains(.relative) {
            self = .relative(
                try container.decode(Scheduled.self, forKey: .relative),
                try container.decode(.over, default: Scope.tensor))
        } else {
            self = .absolute(try Scheduled(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .absolute(let schedule):
            try schedule.encode(to: encoder)
        case .relative(let schedule, let scope):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(schedule, forKey: .relative)
            try container.encode(scope, forKey: .over)
        }
    }
}
