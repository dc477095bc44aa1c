/// What a run has seen so far; part of every checkpoint.
public struct TrainingProgress: Codable, Sendable, Equatable {
    /// The best evaluation so far.
    public var best: Best?
    /// Evaluations since the best one.
    public var evaluationsSinceBest = 0
    /// Skipped steps in a row, up to now.
    public var skippedInARow = 0

    /// An evaluation that was better than all before it.
    public struct Best: Codable, Sendable, Equatable {
        public var step: Int
        public var epoch: Int
        public var loss: Double
        public var accuracy: Double

        public init(step: Int, epoch: Int, loss: Double, accuracy: Double) {
            self.step = step
            self.epoch = epoch
            self.loss = loss
            self.accuracy = accuracy
        }
    }

    public init() {}

    /// Takes note of an evaluation.
    /// - Returns: whether it is the best so far.
    mutating func note(_ evaluation: Best, by metric: EarlyStop.Metric, _ mode: EarlyStop.Mode) -> Bool {
        func value(_ best: Best) -> Double { metric == .accuracy ? best.accuracy : best.loss }
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
