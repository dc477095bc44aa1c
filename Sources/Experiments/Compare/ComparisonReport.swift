import Foundation
import PerturbedEquations
import Statistics

/// What a comparison found: `comparison.json`, and what `peo compare` prints.
public struct ComparisonReport: Codable, Sendable {
    /// A metric of an arm over its seeds.
    public struct Measure: Codable, Sendable {
        public var mean: Double
        /// Student's interval of the mean; nil for fewer than two seeds.
        public var interval: Interval?
    }

    /// One seed of an arm.
    public struct CellReport: Codable, Sendable {
        public var seed: UInt64
        public var outcome: CellOutcome
    }

    public struct Arm: Codable, Sendable {
        public var name: String
        /// What was chosen on held-out data, by key path.
        public var chosen: [String: String]
        /// What a step costs, and how much longer than the configuration says the arm was trained.
        public var cost: EquationCost
        public var lengthFactor: Double
        public var cells: [CellReport]
        /// By metric, over the seeds that were trained to their end.
        public var measures: [String: Measure]
        /// Against the baseline, by seeds that both were trained to their end with; nil for the baseline itself.
        public var comparison: PairedComparison?
    }

    public var name: String
    public var baseline: String
    public var metric: String
    /// Whether more of the metric is better.
    public var isHigherBetter: Bool
    /// α of all verdicts together.
    public var level: Double
    /// What was the same for all arms; nil in files of older versions.
    public var compute: ComparisonConfig.Compute?
    public var arms: [Arm]

    init(
        name: String, _ config: ComparisonConfig, _ plan: ComparisonPlan, chosen: [Int],
        outcomes: [CellOutcome], file: String
    ) throws {
        self.name = name
        baseline = config.baseline
        level = config.level
        compute = config.compute
        let metric = try CellMetric.named(
            config.metric, among: Set(outcomes.flatMap(\.metrics.keys)), file: file)
        self.metric = metric.name
        isHigherBetter = metric.isHigherBetter
        let seeds = config.seeds
        arms = plan.arms.enumerated().map { number, arm in
            let own = outcomes[(number * seeds.count)..<((number + 1) * seeds.count)]
            return Arm(
                name: arm.name, chosen: arm.candidates[chosen[number]].values, cost: arm.cost,
                lengthFactor: arm.candidates[chosen[number]].lengthFactor,
                cells: zip(seeds, own).map { CellReport(seed: $0, outcome: $1) },
                measures: Self.measures(own.filter { $0.status == .completed }.map(\.metrics)))
        }
        let others = arms.indices.filter { arms[$0].name != config.baseline }
        let compared = PairedComparison.compare(
            others.map { gains(of: arms[$0]) }, lost: others.map { lostSeeds(of: arms[$0]) },
            level: config.level, key: NoiseKey(seed: 1).derived("comparison"))
        for (other, comparison) in zip(others, compared) { arms[other].comparison = comparison }
    }

    /// What the arms are compared by.
    var judge: CellMetric { CellMetric(name: metric) }

    /// The arm's gains over the baseline, by seeds that both were trained to their end with; above 0 is better.
    func gains(of arm: Arm) -> [Double] {
        let reference = arms.first { $0.name == baseline }?.cells ?? []
        return zip(arm.cells, reference).compactMap { own, base in
            guard let value = own.outcome.metrics[metric], let known = base.outcome.metrics[metric] else {
                return nil
            }
            return judge.gain(value, over: known)
        }
    }

    /// The seeds that the arm or the baseline has no number for.
    private func lostSeeds(of arm: Arm) -> PairedComparison.LostSeeds {
        let reference = arms.first { $0.name == baseline }?.cells ?? []
        return zip(arm.cells, reference).reduce(into: .init()) { lost, pair in
            switch (pair.0.outcome.metrics[metric] == nil, pair.1.outcome.metrics[metric] == nil) {
            case (true, true): lost.byBoth += 1
            case (true, false): lost.byArm += 1
            case (false, true): lost.byBaseline += 1
            case (false, false): break
            }
        }
    }

    private static func measures(_ metrics: [[String: Double]]) -> [String: Measure] {
        Set(metrics.flatMap(\.keys)).reduce(into: [:]) { measures, name in
            let values = metrics.compactMap { $0[name] }
            measures[name] = Measure(
                mean: Sample.mean(values), interval: StudentT.interval(ofMean: values))
        }
    }
}
