import Foundation

/// The values that a search may give one setting, as a map from [0, 1].
///
/// ```yaml
/// {log: [1e-4, 1e-1]}          # a·(b/a)^u: every factor of ten as often as another
/// {linear: [0, 0.5]}           # a + (b − a)·u
/// {integer: [1, 8]}            # whole numbers, each as often as another
/// {choice: [32, 64, adam]}     # any values, each as often as another
/// ```
enum SearchRange: Sendable {
    case log(ClosedRange<Double>)
    case linear(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case choice([ConfigNode])

    /// How many values there are, where they have no order; nil where they have.
    var choices: Int? {
        if case .choice(let values) = self { values.count } else { nil }
    }

    /// The value at `u` in [0, 1], with four digits.
    func value(at u: Double) -> ConfigNode {
        switch self {
        case .log(let range):
            Self.number(range.lowerBound * pow(range.upperBound / range.lowerBound, u), in: range)
        case .linear(let range):
            Self.number(range.lowerBound + (range.upperBound - range.lowerBound) * u, in: range)
        case .integer(let range):
            ConfigNode(.scalar(.init("\(range.lowerBound + Self.place(u, of: range.count))")))
        case .choice(let values): values[Self.place(u, of: values.count)]
        }
    }

    /// The cell of `count` equal ones that `u` is in.
    static func place(_ u: Double, of count: Int) -> Int { min(max(Int(u * Double(count)), 0), count - 1) }

    /// The number as it stands in a configuration; rounding does not take it out of its range.
    private static func number(_ value: Double, in range: ClosedRange<Double>) -> ConfigNode {
        let text = String(format: "%.4g", value)
        let rounded = Double(text) ?? value
        return ConfigNode(
            .scalar(
                .init(
                    range.contains(rounded) ? text : "\(min(max(value, range.lowerBound), range.upperBound))")
            ))
    }
}

extension SearchRange: Decodable {
    private enum CodingKeys: String, CodingKey { case log, linear, integer, choice }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let log = try container.decodeIfPresent([Double].self, forKey: .log)
        let linear = try container.decodeIfPresent([Double].self, forKey: .linear)
        let integer = try container.decodeIfPresent([Int].self, forKey: .integer)
        let choice = try container.decodeIfPresent([RawNode].self, forKey: .choice)
        var found: [SearchRange] = []
        if let log {
            let range = try Self.bounds(log, .log, container)
            try container.require(
                range.lowerBound > 0, .log, "begins at \(range.lowerBound); allowed: more than 0")
            try container.require(
                (range.upperBound / range.lowerBound).isFinite, .log,
                "is \(log); allowed: numbers whose ratio is below 1.8e308")
            found.append(.log(range))
        }
        if let linear {
            let range = try Self.bounds(linear, .linear, container)
            try container.require(
                (range.upperBound - range.lowerBound).isFinite, .linear,
                "is \(linear); allowed: numbers whose difference is below 1.8e308")
            found.append(.linear(range))
        }
        if let integer {
            let range = try Self.bounds(integer, .integer, container)
            try container.require(
                range.lowerBound >= -Self.greatest && range.upperBound <= Self.greatest, .integer,
                "is \(integer); allowed: whole numbers from -2^53 to 2^53, which is \(Self.greatest)")
            found.append(.integer(range))
        }
        if let choice {
            try container.require(choice.count > 1, .choice, "needs two values at least")
            found.append(.choice(choice.map(\.node)))
        }
        guard found.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription:
                        "needs one of log: [a, b], linear: [a, b], integer: [a, b], choice: [a, b, …]"))
        }
        self = found[0]
    }

    /// Whole numbers up to it are exact in float64, in which they are drawn.
    private static let greatest = 1 << 53

    private static func bounds<Value: Comparable>(
        _ values: [Value], _ key: CodingKeys, _ container: KeyedDecodingContainer<CodingKeys>
    ) throws -> ClosedRange<Value> {
        try container.require(
            values.count == 2 && values[0] < values[1], key,
            "needs two numbers, the smaller first, found \(values)")
        return values[0]...values[1]
    }
}
