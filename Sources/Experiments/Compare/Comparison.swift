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
    ///   holds another comparison.
    public func run(program: URL, told: @escaping (String) -> Void) throws -> ComparisonReport {
        try claimDirectory()
        let pool = CellPool(program: program, parallel: parallel) { cell, outcome, done, all in
            told("\(cell.title): \(Self.words(outcome)) (\(done) of \(all))")
        }
        let chosen = try choose(pool)
        let final = try zip(plan.arms, chosen).flatMap { arm, candidate in
            try cells(
                of: arm.candidates[candidate].config, arm.name, "cells/\(arm.name)", seeds: config.seeds)
        }
        let outcomes = try pool.run(final)
        let report = try ComparisonReport(
            name: directory.lastPathComponent, config, plan, chosen: chosen, outcomes: outcomes, file: file)
        let encoder = JSON.encoder()
        encoder.outputFormatting.insert(.prettyPrinted)
        try AtomicFile.write(
            try encoder.encode(report), to: directory.appendingPathComponent("comparison.json"))
        return report
    }

    /// Cells that run at once.
    private var parallel: Int {
        let threads = plan.arms.flatMap(\.candidates).map { $0.config.training.threads ?? 1 }.max() ?? 1
        return config.parallel ?? max(1, ProcessInfo.processInfo.activeProcessorCount / threads)
    }

    private static func words(_ outcome: CellOutcome) -> String {
        guard outcome.status == .completed else {
            return "\(outcome.status.rawValue): \(outcome.message ?? "no reason given")"
        }
        return ["accuracy", "loss", "rmse"].compactMap { name in
            outcome.metrics[name].map { "\(name) \(String(format: "%.4g", $0))" }
        }.joined(separator: ", ")
    }

    /// Makes the directory, or finds in it the same comparison.
    private func claimDirectory() throws {
        let text = Data(config.text.utf8)
        let stored = directory.appendingPathComponent("comparison.yaml")
        if FileManager.default.fileExists(atPath: stored.path) {
            guard try MappedFile.contents(of: stored) == text else {
                throw ConfigError(
                    .badValue,
                    "\(directory.relativePath) holds another comparison, or an older version of this one; give another "
                        + "--output, or remove it", file: file)
            }
            return
        }
        guard !FileManager.default.fileExists(atPath: directory.path) else {
            throw FileError(
                path: directory.relativePath, operation: .create, reason: .notAFile,
                detail: "it exists, and is no comparison; give another --output")
        }
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: directory.relativePath, operation: .create, reason: .permission,
                detail: "the directory cannot be made")
        }
        try AtomicFile.write(text, to: stored)
    }

    /// The cells of one configuration, whose file is written where it is missing.
    private func cells(
        of config: ExperimentConfig, _ title: String, _ place: String, seeds: [UInt64]
    ) throws -> [Cell] {
        let folder = directory.appendingPathComponent(place)
        let file = folder.appendingPathComponent("config.yaml")
        var config = config
        config.output = nil
        if !FileManager.default.fileExists(atPath: file.path) {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try AtomicFile.write(Data(try config.resolved(threads: 1).yaml().utf8), to: file)
        }
        return seeds.map { seed in
            Cell(
                title: "\(title), seed \(seed)", directory: folder.appendingPathComponent("seed-\(seed)"),
                config: file, seed: seed)
        }
    }

    /// The number of each arm's best candidate.
    private func choose(_ pool: CellPool) throws -> [Int] {
        // Seeds that no comparison uses by default.
        let seeds = (1...UInt64(config.choosing.seeds)).map { 1_000_000 + $0 }
        return try plan.arms.map { arm in
            guard arm.candidates.count > 1 else { return 0 }
            let cells = try arm.candidates.enumerated().flatMap { number, candidate in
                var config = candidate.config
                config.training.validation =
                    config.training.validation ?? .init(fraction: self.config.choosing.fraction)
                return try self.cells(
                    of: config, "\(arm.name), candidate \(number)", "choose/\(arm.name)/\(number)",
                    seeds: seeds)
            }
            let outcomes = try pool.run(cells)
            let known = Set(outcomes.flatMap(\.metrics.keys))
            let metric = try ComparisonMetric.named(config.metric, among: known, file: file)
            var best: (number: Int, value: Double)?
            for number in arm.candidates.indices {
                let own = outcomes[(number * seeds.count)..<((number + 1) * seeds.count)]
                let values = own.compactMap { $0.metrics["validation.\(metric.name)"] }
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
