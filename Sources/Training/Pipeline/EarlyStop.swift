/// Ends a run when its evaluation has not improved for a while.
///
/// ```yaml
/// earlyStop: {metric: accuracy, patience: 5}
/// ```
public struct EarlyStop: Codable, Sendable, Equatable {
    /// What is compared between evaluations; nil for what the run is judged by.
    public var metric: Metric?
    /// Evaluations in a row without a better one that end the run, ≥ 1.
    public var patience: Int
    /// Default: the metric's own, `max` for accuracy and `min` for all others.
    public var mode: Metric.Mode?

    public init(metric: Metric? = nil, patience: Int) {
        self.metric = metric
        self.patience = patience
    }

    private enum CodingKeys: String, CodingKey { case metric, patience, mode }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metric = try container.decodeIfPresent(Metric.self, forKey: .metric)
        mode = try container.decodeIfPresent(Metric.Mode.self, forKey: .mode)
        patience = try container.decode(Int.self, forKey: .patience)
        guard patience >= 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: .patience, in: container, debugDescription: "is \(patience); allowed: 1 or more")
        }
    }
}
