/// One line of `metrics.jsonl`: what was measured after a step.
///
/// The values are a pure function of the configuration, so times are not among them: the log of a resumed run
/// is byte for byte that of an uninterrupted one.
public struct MetricsRecord: Sendable, Equatable {
    /// What was measured on.
    public enum Kind: String, Sendable {
        /// The batch of this step.
        case train
        /// The held-out part of the training data.
        case validation
        /// The test data.
        case test
    }

    public var kind: Kind
    /// Logical steps taken; of an agent, environment steps.
    public var step: Int
    /// Epochs begun: the step belongs to the `epoch`-th, from 0. An agent has none.
    public var epoch: Int?
    /// Name and value, in order.
    public var values: [(name: String, value: Double)]
    /// What the stability controller did, if it did anything: `skippedNonFinite`, `rolledBack`; and what happened to an
    /// agent: `collapse.lostReturn`, `collapse.lostEntropy`.
    public var event: String?

    public init(
        kind: Kind, step: Int, epoch: Int? = nil, values: [(name: String, value: Double)],
        event: String? = nil
    ) {
        self.kind = kind
        self.step = step
        self.epoch = epoch
        self.values = values
        self.event = event
    }

    public static func == (a: Self, b: Self) -> Bool { a.line == b.line }

    /// The record as one line of JSON, `step` first. A value that is not finite is `null`.
    public var line: String {
        let place = epoch.map { ",\"epoch\":\($0)" } ?? ""
        var text = "{\"step\":\(step)\(place),\"kind\":\"\(kind.rawValue)\""
        for (name, value) in values { text += ",\"\(name)\":\(value.isFinite ? "\(value)" : "null")" }
        if let event { text += ",\"event\":\"\(event)\"" }
        return text + "}\n"
    }

    /// The step of a line that is whole, or nil.
    static func step(of line: some StringProtocol) -> Int? {
        let start = "{\"step\":"
        guard line.hasPrefix(start), line.hasSuffix("}") else { return nil }
        return Int(line.dropFirst(start.count).prefix(while: \.isNumber))
    }
}
