import Datasets
import PerturbedEquations
import TorchNN

/// The loss of a run, by name.
public enum LossChoice: String, Codable, Sendable, CaseIterable {
    /// For classes.
    case crossEntropy
    /// The mean squared error, for numbers.
    case mse
    /// The mean absolute error, for numbers.
    case mae
}

extension TargetKind {
    /// The losses that fit, the default first.
    var losses: [LossChoice] { scale == nil ? [.crossEntropy] : [.mse, .mae] }

    /// The metrics that a model of it has, the one to judge by first: a text's loss tells more than its accuracy.
    var metrics: [Metric] {
        switch self {
        case .oneClass: [.accuracy, .loss]
        case .classPerToken: [.loss, .perplexity, .accuracy]
        case .number: [.rmse, .mae, .loss]
        }
    }

    /// For errors.
    var name: String { scale == nil ? "classes" : "numbers" }
}

extension TrainingPlan {
    /// What is made small.
    var loss: Loss {
        switch settings.loss ?? data.kind.target.losses[0] {
        case .crossEntropy: .crossEntropy(labelSmoothing: settings.labelSmoothing)
        case .mse: .meanSquaredError
        case .mae: .meanAbsoluteError
        }
    }

    /// What the best evaluation is the best in, and whether more is better.
    var judgedBy: (metric: Metric, mode: Metric.Mode) {
        let metric = settings.earlyStop?.metric ?? settings.bestBy ?? data.kind.target.metrics[0]
        return (metric, settings.earlyStop?.mode ?? metric.mode)
    }

    /// Refuses settings that the data's targets have no use for.
    func requireTask() throws {
        let target = data.kind.target
        func require(_ condition: Bool, _ name: String, is value: some Any, allowed: String) throws {
            guard !condition else { return }
            throw ConfigurationError(
                "is \(value), and the data's targets are \(target.name); allowed: \(allowed)",
                path: "training.\(name)"
            )
        }
        func names<Value: RawRepresentable<String>>(_ values: [Value]) -> String {
            values.map(\.rawValue).joined(separator: ", ")
        }
        if let loss = settings.loss {
            try require(
                target.losses.contains(loss), "loss", is: loss.rawValue, allowed: names(target.losses))
        }
        for (name, metric) in [("earlyStop.metric", settings.earlyStop?.metric), ("bestBy", settings.bestBy)]
        {
            guard let metric else { continue }
            try require(
                target.metrics.contains(metric), name, is: metric.rawValue, allowed: names(target.metrics))
        }
        if let stop = settings.earlyStop?.metric, let best = settings.bestBy, stop != best {
            throw ConfigurationError(
                "is \(best.rawValue), and earlyStop.metric is \(stop.rawValue); allowed: the same, or one of the two left "
                    + "out", path: "training.bestBy")
        }
        let isNumber = target.scale != nil
        try require(
            !isNumber || settings.labelSmoothing == 0, "labelSmoothing", is: settings.labelSmoothing,
            allowed: "0")
        try require(!isNumber || settings.labelNoise == nil, "labelNoise", is: "set", allowed: "targetNoise")
        try require(isNumber || settings.targetNoise == nil, "targetNoise", is: "set", allowed: "labelNoise")
    }
}
