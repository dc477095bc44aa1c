/// What a run has seen so far; part of every checkpoint.
public struct TrainingProgress: Codable, Sendable, Equatable {
    /// The best evaluation so far.
    public var best: Best?
    /// Evaluations since the best one.
    public var evaluationsSinceBest = 0
    /// Skipped steps in a row, up to now.
    public var skippedInARow = 0
    /// Steps that the mean of the weights has taken in; nil without one.
    public var averaged: Int?

    /// An evaluation that was better than all before it.
    public struct Best: Codable, Sendable, Equatable {
        public var step: Int
        public var epoch: Int
        /// What it is the best in.
        public var metric: Metric
        public var evaluation: Evaluation

        public init(step: Int, epoch: Int, metric: Metric, _ evaluation: Evaluation) {
            self.step = step
            self.epoch = epoch
            self.metric = metric
            self.evaluation = evaluation
        }

        private enum CodingKeys: String, CodingKey { case step, epoch, metric }

        /// The evaluation's values stand beside the step.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            step = try container.decode(Int.self, forKey: .step)
            epoch = try container.decode(Int.self, forKey: .epoch)
            metric = try container.decode(Metric.self, forKey: .metric)
            evaluation = try Evaluation(from: decoder)
        }

        public func encode(to encoder: any Encoder) throws {
            try evaluation.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(step, forKey: .step)
            try container.encode(epoch, forKey: .epoch)
            try container.encode(metric, forKey: .metric)
        }
    }

    public init() {}

    /// Takes note of an evaluation.
    /// - Returns: whether it is the best so far.
    mutating func note(_ evaluation: Best, _ mode: Metric.Mode) -> Bool {
        func value(_ best: Best) -> Double { best.evaluation.value(of: evaluation.metric) ?? .nan }
        let isBetter =
            best.map { mode == .max ? value(evaluation) > value($0) : value(evaluation) < value($0) }
            ?? value(evaluation).isFinite
        if isBetter {
            best = evaluation
            evaluationsSinceBest = 0
        } else {
            evaluationsSinceBest += 1
        }
        return isBetter
    }
}
