import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import Training

/// Trains arms over seeds and says whether they differ: what `peo compare` does.
///
/// Arms are paired by seed: the same first weights, the same order of the data, the same dropout. Hyperparameters are chosen
/// on held-out data with other seeds, and the comparison is on the test data, with the final weights.
public struct Comparison {
    private let config: ComparisonConfig
    private let plan: ComparisonPlan
    private let file: String
    /// Where everything is kept.
    public let directory: URL

    /// Reads and checks everything; nothing is run or written.
    ///
    /// - Parameters:
    ///   - url: the comparison's file.
    ///   - output: the directory; `comparisons/<name of the file>` unless told.
    /// - Throws: ``ConfigError``, `FileError`.
    public init(contentsOf url: URL, output: String? = nil) throws {
        config = try ComparisonConfig(contentsOf: url)
        file = url.relativePath
        plan = try ComparisonPlan(config, file: file)
        try plan.requireMetric(config.metric, file: file)
        let name = url.deletingPathExtension().lastPathComponent
        directory = URL(fileURLWithPath: output ?? "comparisons/\(name)")
    }

    /// How many runs the comparison takes, with those that choose.
    public var cellCount: Int {
        plan.arms.reduce(0) { count, arm in
            count + config.seeds.count
                + (arm.candidates.count > 1 ? arm.candidates.count * config.choosing.seeds : 0)
        }
    }

    /// Runs what is left of the comparison and writes `comparison.json`.
    ///
    /// - Parameters:
    ///   - program: the `peo` that trains the cells.
    ///   - told: each outcome as it comes: a line for people.
    /// - Throws: `TrainingStopped` when interrupted: the same call goes on; `FileError`; ``ConfigError`` where the directory
    ///   holds another comparison, or where the first cell lacks the metric.
    public func run(program: URL, told: @escaping (String) -> Void) throws -> ComparisonReport {
        let study = try StudyDirectory(directory, kind: .comparison, text: config.text, file: file) {
            stored in
            config.goesOn(from: stored, hasFinalCells: plan.arms.contains { hasFinalCells($0.name) })
        }
        defer { withExtendedLifetime(study) {} }
        let pool = CellPool(
            program: program,
            parallel: CellPool.parallel(plan.arms.flatMap(\.candidates).map(\.config), config.parallel))
        func run(_ cells: [Cell], retryingFailed: Bool = true) throws -> [CellOutcome] {
            try pool.run(cells, retryingFailed: retryingFailed) { cell, outcome, done, all in
                told("\(cell.title): \(outcome.words()) (\(done) of \(all))")
                // What an agent has depends on how it did; what a model has, on the data.
                guard outcome.metrics["loss"] != nil else { return }
                _ = try CellMetric.named(config.metric, among: Set(outcome.metrics.keys), file: file)
            }
        }
        let chosen = try choose { try run($0, retryingFailed: $1) }
        let final = try zip(plan.arms, chosen).flatMap { arm, candidate in
            try cells(
                of: arm.candidates[candidate].config, arm.name, folder(ofArm: arm.name), seeds: config.seeds)
        }
        let outcomes = try run(final)
        let report = try ComparisonReport(
            name: directory.lastPathComponent, config, plan, chosen: chosen, outcomes: outcomes, file: file)
        try JSON.write(report, to: directory.appendingPathComponent("comparison.json"))
        return report
    }

    private func folder(ofArm name: String) -> String { "cells/\(name)" }

    /// Whether an arm has begun to be trained for the comparison: what it chose stands since.
    private func hasFinalCells(_ arm: String) -> Bool {
        FileManager.default.fileExists(
            atPath: directory.appendingPathComponent(folder(ofArm: arm)).path)
    }

    private func cells(
        of config: any RunConfig, _ title: String, _ place: String, seeds: [UInt64]
    ) throws -> [Cell] {
        try Cell.all(of: config, title, in: directory.appendingPathComponent(place), seeds: seeds)
    }

    /// The number of each arm's best candidate.
    private func choose(_ run: ([Cell], _ retryingFailed: Bool) throws -> [CellOutcome]) throws -> [Int] {
        // Seeds that no comparison uses by default.
        let seeds = (1...UInt64(config.choosing.seeds)).map { 1_000_000 + $0 }
        return try plan.arms.map { arm in
            guard arm.candidates.count > 1 else { return 0 }
            let cells = try arm.candidates.enumerated().flatMap { number, candidate in
                var config = candidate.config
                config.holdOut(fraction: self.config.choosing.fraction)
                return try self.cells(
                    of: config, "\(arm.name), candidate \(number)", "choose/\(arm.name)/\(number)",
                    seeds: seeds)
            }
            let outcomes = try run(cells, !hasFinalCells(arm.name))
            let known = Set(outcomes.flatMap(\.metrics.keys))
            let metric = try CellMetric.named(config.metric, among: known, file: file)
            let prefix = type(of: arm.candidates[0].config).choosingPrefix
            var best: (number: Int, value: Double)?
            for number in arm.candidates.indices {
                let own = outcomes[(number * seeds.count)..<((number + 1) * seeds.count)]
                let key = metric.name.hasPrefix(prefix) ? metric.name : prefix + metric.name
                let values = own.compactMap { $0.metrics[key] }
                // A candidate that diverged once is out.
                guard values.count == seeds.count else { continue }
                let value = Sample.mean(values)
                if best == nil || metric.gain(value, over: best!.value) > 0 { best = (number, value) }
            }
            guard let best else {
                throw ConfigError(
                    .badValue,
                    "none of its \(arm.candidates.count) candidates was trained to its end with every seed "
                        + "(\(outcomes.compactMap(\.message).first ?? "no reason given"))",
                    keyPath: "arms.\(arm.name)", file: file)
            }
            return best.number
        }
    }
}
