import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import Training

/// Arms of a reproduction that train models: a ``Comparison`` of cells, each in a process of its own, kept beside the
/// report. `peo compare` reads the same file.
struct TrainedArms {
    /// One arm as an experiment states it.
    struct Arm {
        var name: String
        var summary: String
        /// Changes of the configuration, as in a comparison: `{training.epochs: 80}`.
        var changes = "{}"
        var published: String?
        var independent: String?
        var isNegativeControl = false
    }

    /// How the numbers of a metric are shown.
    struct Quantity {
        /// With its unit: `test accuracy, %`.
        var name: String
        /// Its name in a cell's outcome.
        var metric: String
        var factor = 1.0

        static let accuracy = Quantity(name: "test accuracy, %", metric: "accuracy", factor: 100)
        static let loss = Quantity(name: "test loss", metric: "loss")
    }

    let arms: [Arm]
    private(set) var report: ComparisonReport
    /// Where the cells' runs are.
    let directory: URL

    /// Runs what is left of the comparison.
    ///
    /// - Parameters:
    ///   - config: the configuration that the arms change, as YAML.
    ///   - settings: further keys of the comparison, as YAML: `metric: loss`. The arms take as many steps as they say.
    ///   - seeds: 1 to this number.
    /// - Throws: as ``Comparison/run(program:told:)``.
    init(
        _ arms: [Arm], of config: String, settings: String = "", seeds: Int, _ context: ReproductionContext
    ) throws {
        var lines = ["# Written by peo reproduce.", "config:"]
        lines += config.split(separator: "\n").map { "  \($0)" }
        lines.append("arms:")
        lines += arms.map { "  \($0.name): \($0.changes)" }
        lines += ["seeds: \(seeds)", "compute: steps"]
        if !settings.isEmpty { lines.append(settings) }
        let file = context.directory.appendingPathComponent("comparison.yaml")
        try AtomicFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: file)
        let comparison = try Comparison(
            contentsOf: file, output: context.directory.appendingPathComponent("comparison").relativePath)
        self.arms = arms
        directory = comparison.directory
        context.told("\(comparison.cellCount) runs in \(directory.relativePath)")
        report = try comparison.run(program: context.program, told: context.told)
    }

    /// Adds numbers that `body` measures on the run directory of every cell that was trained to its end, one after the
    /// other, to those of its outcome.
    mutating func measure(_ body: (URL) throws -> [String: Double]) throws {
        for arm in report.arms.indices {
            let name = report.arms[arm].name
            for cell in report.arms[arm].cells.indices {
                let done = report.arms[arm].cells[cell]
                guard done.outcome.status == .completed else { continue }
                let found = try body(run(name, seed: done.seed))
                report.arms[arm].cells[cell].outcome.metrics.merge(found) { $1 }
            }
        }
    }

    private func arm(_ name: String) -> ComparisonReport.Arm {
        guard let arm = report.arms.first(where: { $0.name == name }) else {
            preconditionFailure("the comparison has no arm '\(name)'")
        }
        return arm
    }

    /// The numbers of an arm by seed, of the seeds that were trained to their end.
    func values(_ name: String, _ quantity: Quantity) -> [(seed: UInt64, value: Double)] {
        arm(name).cells.compactMap { cell in
            cell.outcome.metrics[quantity.metric].map { (cell.seed, $0 * quantity.factor) }
        }
    }

    /// An arm's mean; NaN, which meets no criterion, unless every seed was trained to its end.
    func mean(_ name: String, _ quantity: Quantity) -> Double {
        let values = values(name, quantity)
        return values.count == arm(name).cells.count ? Sample.mean(values.map(\.value)) : .nan
    }

    /// An arm's least and greatest number; NaN unless every seed was trained to its end.
    func range(_ name: String, _ quantity: Quantity) -> (least: Double, greatest: Double) {
        let values = values(name, quantity).map(\.value)
        guard values.count == arm(name).cells.count, let least = values.min(), let greatest = values.max()
        else { return (.nan, .nan) }
        return (least, greatest)
    }

    /// The mean of arm − other over seeds, and in words with Student's interval; NaN unless every seed has both.
    func difference(
        _ name: String, from other: String, _ quantity: Quantity
    ) -> (mean: Double, words: String) {
        let base = Dictionary(uniqueKeysWithValues: values(other, quantity).map { ($0.seed, $0.value) })
        let differences = values(name, quantity).compactMap { own in base[own.seed].map { own.value - $0 } }
        guard differences.count == arm(name).cells.count else {
            return (.nan, "not every seed was trained to its end")
        }
        let mean = Sample.mean(differences)
        var words = String(format: "%+.4g", mean)
        if let interval = StudentT.interval(ofMean: differences) {
            words += String(format: " (95%%: %+.4g … %+.4g)", interval.lower, interval.upper)
        }
        return (mean, words)
    }

    /// The arms as a report shows them. Published and independent figures stand beside the first quantity.
    func reported(_ quantities: [Quantity]) -> [ReproductionReport.Arm] {
        arms.map { stated in
            let arm = arm(stated.name)
            let lost = arm.cells.filter { $0.outcome.status != .completed }
            return .init(
                name: stated.name, summary: stated.summary, isNegativeControl: stated.isNegativeControl,
                measures: quantities.enumerated().map { number, quantity in
                    .init(
                        quantity.name, published: number == 0 ? stated.published : nil,
                        independent: number == 0 ? stated.independent : nil, values(stated.name, quantity))
                }, chosen: arm.chosen,
                notes: lost.map {
                    "seed \($0.seed) \($0.outcome.status.rawValue): \($0.outcome.message ?? "no reason given")"
                })
        }
    }

    /// The quantity against the step, by the runs' logs.
    ///
    /// - Parameter kind: the lines of the log: measured on the test data unless told.
    func chart(
        _ quantity: Quantity, title: String, of kind: MetricsRecord.Kind = .test
    ) throws -> ReproductionReport.Chart {
        .init(
            title: title, xTitle: "step", yTitle: quantity.name, isXLogarithmic: false,
            isYLogarithmic: false,
            lines: try arms.compactMap { stated in
                let curves = try arm(stated.name).cells.filter { $0.outcome.status == .completed }.map {
                    try curve(stated.name, seed: $0.seed, quantity, kind)
                }
                return ReproductionReport.Chart.Line(arm: stated.name, curves: curves)
            })
    }

    /// The run directory of a cell.
    func run(_ name: String, seed: UInt64) -> URL {
        directory.appendingPathComponent("cells/\(name)/seed-\(seed)")
    }

    private func curve(
        _ name: String, seed: UInt64, _ quantity: Quantity, _ kind: MetricsRecord.Kind
    ) throws -> [(x: Double, y: Double)] {
        let log = try RunLog(contentsOf: run(name, seed: seed).appendingPathComponent("metrics.jsonl"))
        guard let column = log.column(kind, quantity.metric) else { return [] }
        return zip(column.steps, column.values).compactMap { step, value in
            value.map { (Double(step), $0 * quantity.factor) }
        }
    }
}
