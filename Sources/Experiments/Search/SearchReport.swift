import Foundation
import PerturbedEquations
import Statistics

/// What a search found: `search.json`, and what `peo tune` prints.
public struct SearchReport: Codable, Sendable {
    /// One trial, as far as it was trained.
    public struct Trial: Codable, Sendable {
        public var number: Int
        /// The values of the searched settings, by key path.
        public var settings: [String: String]
        /// The metric on each rung that it was measured on, the mean over its seeds; nil where one diverged or failed.
        public var values: [Double?]
        /// Why it has no value.
        public var message: String?
    }

    /// A configuration that was trained to its end with seeds of its own.
    public struct Finalist: Codable, Sendable {
        /// The trial's number; nil for the configuration as it is.
        public var trial: Int?
        public var seeds: [UInt64]
        public var outcomes: [CellOutcome]
        /// The metric over the seeds, on what trials are judged on; nil where one was not trained to its end.
        public var mean: Double?
        /// Student's interval of the mean; nil for fewer than two seeds.
        public var interval: Interval?

        init(trial: Int?, seeds: [UInt64], outcomes: [CellOutcome], metric: CellMetric) {
            self.trial = trial
            self.seeds = seeds
            self.outcomes = outcomes
            let values = outcomes.compactMap { $0.metrics[metric.key] }
            guard values.count == seeds.count else { return }
            mean = Sample.mean(values)
            interval = StudentT.interval(ofMean: values)
        }
    }

    public var name: String
    public var method: SearchMethod
    /// By what trials were judged.
    public var metric: String
    /// What its name begins with in outcomes: `validation.` for held-out data, nothing for an agent's episodes. Nil, in files of
    /// older versions, is `validation.`.
    public var prefix: String?
    /// Whether more of the metric is better.
    public var isHigherBetter: Bool
    /// The shares of the training after which trials were measured.
    public var shares: [Double]
    /// The searched settings, in the file's order.
    public var settings: [String]
    public var trials: [Trial]
    public var finalists: [Finalist]
    /// The trial that did best with the confirming seeds; nil if none was trained to its end.
    public var best: Int?

    init(
        name: String, _ config: SearchConfig, _ state: SearchState, metric: CellMetric, finalists: [Finalist]
    ) {
        self.name = name
        method = config.method
        self.metric = metric.name
        prefix = metric.prefix
        isHigherBetter = metric.isHigherBetter
        shares = (0..<config.halving.rungs).map(config.halving.share)
        settings = config.dimensions.map(\.name)
        self.finalists = finalists
        trials = state.trials.map { trial in
            Trial(
                number: trial.number, settings: trial.settings,
                values: state.losses.compactMap { $0[trial.number] }.map {
                    $0.isFinite ? metric.value(ofLoss: $0) : nil
                }, message: state.outcomes[trial.number]?.first { $0.message != nil }?.reason)
        }
        let candidates = finalists.filter { $0.trial != nil && $0.mean != nil }
        best = candidates.min { metric.loss($0.mean!) < metric.loss($1.mean!) }?.trial
    }

    var judge: CellMetric { CellMetric(name: metric, prefix: prefix ?? "validation.") }

    /// Whether agents were searched: judged by their episodes, and not on held-out data.
    public var isOfAgents: Bool { judge.prefix.isEmpty }

    /// What trials were judged on, in words.
    var judgedOn: String { isOfAgents ? "over the last episodes of training" : "on held-out data" }
}
