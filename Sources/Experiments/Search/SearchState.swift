import Foundation
import Statistics

/// What a search knows: its trials, and how good each was on each rung.
struct SearchState {
    private(set) var trials: [SearchTrial] = []
    /// Of each rung, by trial: what is to be small, the mean over the trial's seeds; infinite for one that diverged or failed.
    private(set) var losses: [[Int: Double]]
    /// The outcomes of each trial's newest rung.
    private(set) var outcomes: [Int: [CellOutcome]] = [:]
    /// Of each rung, the trials that have gone on from it.
    private var promoted: [Set<Int>]
    /// Points that the sampler has been asked for.
    private var draws = 0
    /// The settings of the trials, as text: none is tried twice.
    private var tried: Set<String> = []
    private let config: SearchConfig

    /// Points in a row that were tried before, after which there is nothing left to try.
    private static let patience = 1000

    init(_ config: SearchConfig) {
        self.config = config
        losses = Array(repeating: [:], count: config.halving.rungs)
        promoted = Array(repeating: [], count: config.halving.rungs)
    }

    /// What to do next; nil if that depends on what is at work, or if everything is done.
    func decide(_ sampler: any PointSampler) -> SearchJournal.Decision? {
        if let next = config.halving.promotion(losses: losses, promoted: promoted) {
            return .init(trial: next.trial, rung: next.rung)
        }
        guard trials.count < config.trials else { return nil }
        let seen = ranking.map { SeenPoint(point: trials[$0.trial].point, loss: $0.loss) }
        for draw in draws..<draws + Self.patience {
            let point = sampler.point(ofTrial: draw, seen: seen)
            guard !tried.contains(SearchTrial(trials.count, at: point, of: config.dimensions).words) else {
                continue
            }
            return .init(trial: trials.count, rung: 0, point: point, draw: draw)
        }
        return nil
    }

    /// Notes a decision.
    mutating func note(_ decision: SearchJournal.Decision) {
        if let point = decision.point {
            let trial = SearchTrial(decision.trial, at: point, of: config.dimensions)
            tried.insert(trial.words)
            draws = (decision.draw ?? decision.trial) + 1
            trials.append(trial)
        }
        if decision.rung > 0 { promoted[decision.rung - 1].insert(decision.trial) }
    }

    /// Notes how a trial's seeds ended on a rung.
    mutating func note(_ outcomes: [CellOutcome], of trial: Int, rung: Int, metric: CellMetric) {
        let values = outcomes.compactMap { $0.metrics[metric.key] }
        let isWhole = values.count == config.seeds
        losses[rung][trial] = isWhole ? metric.loss(Sample.mean(values)) : .infinity
        self.outcomes[trial] = outcomes
    }

    /// The trials that were measured, the best first: those of higher rungs before others.
    var ranking: [(trial: Int, rung: Int, loss: Double)] {
        trials.compactMap { trial in
            losses.indices.last { losses[$0][trial.number] != nil }.map {
                (trial.number, $0, losses[$0][trial.number]!)
            }
        }.sorted { a, b in
            if a.loss.isFinite != b.loss.isFinite { return a.loss.isFinite }
            return (-a.rung, a.loss, a.trial) < (-b.rung, b.loss, b.trial)
        }
    }
}
