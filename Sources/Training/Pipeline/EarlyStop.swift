/// Ends a run when its evaluation has not improved for a while.
///
/// ```yaml
/// earlyStop: {metric: accuracy, patience: 5}
/// ```
public struct EarlyStop: Codable, Sendable, Equatable {
    /// What is compared between evaluations.
    public enum Metric: String, Codable, Sendable, CaseIterable {
        case accuracy, loss

        /// Whether more is better.
        public var mode: Mode { self == .accuracy ? .max : .min }
    }

    /// Which of two values is the better one.
    public enum Mode: String, Codable, Sendable, CaseIterable { case min, max }

    /// Default accuracy.
    public var metric = Metric.accuracy
    /// Evaluations in a row without a better one that end the run, ≥ 1.
    public var patience: Int
    /// Default: the metric's own, `max` for accuracy and `min` for loss.
    public var mode: Mode

    public init(metric: Metric = .accuracy, patience: Int) {
        self.metric = metric
        self.patience = patience
        mode = metric.mode
    }

    private enum CodingKeys: String, CodingKey { case metric, patience, mode }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metric = try container.decodeIfPresent(Metric.self, forKey: .metric) ?? .accuracy
        mode = try container.decodeIfPresent(Mode.self, forKey: .mode) ?? metric.mode
        patience = try container.decode(Int.self, forKey: .patience)
        guard patience >= 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: .patience, in: container, debugDescription: "is \(patience); allowed: 1 or more")
        }
    }
}
