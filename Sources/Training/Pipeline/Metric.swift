/// What a model is judged by.
public enum Metric: String, Codable, Sendable, CaseIterable {
    /// The share of targets whose class has the largest score.
    case accuracy
    /// The mean loss, without label smoothing.
    case loss
    /// e^loss, of a model that predicts tokens.
    case perplexity
    /// √(mean squared error), in the target's own unit.
    case rmse
    /// The mean absolute error, in the target's own unit.
    case mae

    /// Whether more is better.
    public var mode: Mode { self == .accuracy ? .max : .min }

    /// Which of two values is the better one.
    public enum Mode: String, Codable, Sendable, CaseIterable { case min, max }
}

extension Evaluation {
    /// The value of a metric; nil for one that the task does not have.
    public func value(of metric: Metric) -> Double? {
        switch metric {
        case .accuracy: accuracy
        case .loss: loss
        case .perplexity: perplexity
        case .rmse: rmse
        case .mae: mae
        }
    }

    /// All that were measured, for logs: the loss first.
    var values: [(String, Double)] {
        [Metric.loss, .accuracy, .perplexity, .rmse, .mae].compactMap { metric in
            value(of: metric).map { (metric.rawValue, $0) }
        }
    }
}
