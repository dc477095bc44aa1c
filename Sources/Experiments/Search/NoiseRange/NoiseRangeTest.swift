import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import TorchNN
import Training

/// Ramps the strength of a configuration's noise from tiny to breaking: what `peo tune --find-sigma` does.
///
/// The noise is the configuration's first term with a strength σ, or Gaussian noise where it has none; other noise, bounds
/// on it, closed loops and the watch on the loss are left out, and the learning rate stays at its peak. A second run without the
/// noise has the same first weights and the same batches.
public struct NoiseRangeTest {
    /// The strengths of the ramp, relative to each tensor's RMS gradient.
    public struct Ramp: Sendable {
        public var from = 1e-3
        public var to = 1e3
        /// Steps of the runs; nil: the configuration's, 1,000 at most.
        public var steps: Int?

        public init() {}
    }

    private let ramp: Ramp
    private let base: ConfigNode
    private let config: ExperimentConfig
    private let text: String
    private let file: String
    /// Where everything is kept.
    public let directory: URL

    /// Reads and checks everything; nothing is run or written.
    ///
    /// - Parameters:
    ///   - url: the configuration's file.
    ///   - output: the directory; `searches/<name of the file>-sigma` unless told.
    /// - Throws: ``ConfigError``, `FileError`.
    public init(contentsOf url: URL, ramp: Ramp = Ramp(), output: String? = nil) throws {
        self.ramp = ramp
        file = url.relativePath
        let text = try BaseConfiguration.text(of: url)
        base = try ConfigNode(yaml: text, file: file)
        config = try RunConfigs.decodeModel(base, for: "peo tune --find-sigma", file: file)
        let name = url.deletingPathExtension().lastPathComponent
        directory = URL(fileURLWithPath: output ?? "searches/\(name)-sigma")
        self.text =
            text
            + "\n# from \(ramp.from) to \(ramp.to), steps \(ramp.steps.map(String.init) ?? "by default")\n"
    }

    /// Runs what is left of the two runs, and writes `noise-range.json`, `noise-range.svg` and, where there is a band, `tune.yaml`.
    ///
    /// - Throws: `TrainingStopped` when interrupted: the same call goes on; `FileError`; ``ConfigError`` where the directory
    ///   holds another test, or where the run without noise cannot be trained.
    public func run(program: URL, told: @escaping (String) -> Void) throws -> NoiseRangeReport {
        let study = try StudyDirectory(directory, kind: .noiseRange, text: text, file: file)
        defer { withExtendedLifetime(study) {} }
        let (plan, _) = try Experiment(config, name: "noise-range").plan()
        let steps = min(ramp.steps ?? min(plan.totalSteps, 1000), plan.totalSteps)
        let length = RunLength(steps: plan.totalSteps, stepsPerEpoch: plan.stepsPerEpoch)
        let rising = Scheduled(GeometricSchedule(from: ramp.from, to: ramp.to, steps: .steps(steps)))
        let pool = CellPool(program: program, parallel: CellPool.parallel([config], nil))
        let cells = try [("clean", Scheduled(0)), ("noisy", rising)].map { name, sigma in
            let changed = changed(sigma, steps, length)
            return try Cell.all(
                of: changed, name, in: directory.appendingPathComponent(name), seeds: [config.training.seed])[
                    0]
        }
        let outcomes = try pool.run(cells) { cell, outcome, _, _ in told("\(cell.title): \(outcome.words())")
        }
        let logs = try cells.map {
            try RunLog(contentsOf: $0.directory.appendingPathComponent("metrics.jsonl"))
        }
        // A loss that is no number is beyond all numbers.
        let losses = logs.map { $0.column(.train, "loss")?.values.map { $0 ?? .infinity } ?? [] }
        guard outcomes[0].status == .completed, losses[0].count == steps else {
            throw ConfigError(
                .badValue,
                "it cannot be trained without noise (\(outcomes[0].reason)); nothing can be said of noise",
                file: file)
        }
        guard outcomes[1].status != .failed, !losses[1].isEmpty else {
            throw ConfigError(
                .badValue, "it cannot be trained with noise (\(outcomes[1].reason))", file: file)
        }
        let norms = logs[0].column(.train, "gradientNorm")?.values.compactMap { $0 }.sorted() ?? []
        let gradient = Sample.quantile(0.5, ofSorted: norms) / Double(plan.model.parameterCount).squareRoot()
        let range = NoiseRange(
            sigmas: (0..<steps).map(rising.value), noisy: losses[1], clean: losses[0], gradient: gradient)
        let report = NoiseRangeReport(
            name: directory.lastPathComponent, noise: config.equation.studiedNoise.name, range)
        try write(report)
        return report
    }

    /// The configuration of one of the two runs.
    private func changed(_ sigma: Scheduled, _ steps: Int, _ length: RunLength) -> ExperimentConfig {
        var changed = config
        changed.equation = config.equation.studying(.relative(sigma))
        changed.equation.rule.learningRate = peak(config.equation.rule.learningRate, length)
        for group in changed.groups.indices {
            changed.groups[group].perturbation = nil
            if let own = changed.groups[group].rule?.learningRate {
                changed.groups[group].rule?.learningRate = peak(own, length)
            }
        }
        changed.training.epochs = nil
        changed.training.steps = steps
        changed.training.logEvery = 1
        changed.training.earlyStop = nil
        changed.training.average = nil
        changed.training.evaluateEvery = .steps(steps)
        changed.training.checkpointEvery = .steps(max(1, steps / 4))
        return changed
    }

    private func peak(_ schedule: Scheduled, _ length: RunLength) -> Scheduled {
        let resolved = schedule.resolved(for: length)
        return Scheduled((0..<length.steps).map(resolved.value).max() ?? resolved.value(at: 0))
    }

    private func write(_ report: NoiseRangeReport) throws {
        try JSON.write(report, to: directory.appendingPathComponent(NoiseRangeReport.fileName))
        try AtomicFile.write(
            Data(report.svg().utf8), to: directory.appendingPathComponent("noise-range.svg"))
        guard let band = report.range.band else { return }
        try AtomicFile.write(
            Data(try search(in: band).yaml().utf8), to: directory.appendingPathComponent("tune.yaml"))
    }

    /// A search of the strength in the band.
    private func search(in band: ClosedRange<Double>) throws -> ConfigNode {
        func number(_ value: Double) -> ConfigNode {
            ConfigNode(.scalar(.init(String(format: "%.2g", value))))
        }
        let noise = config.equation.studiedNoise
        let path = "perturbation.\(noise.place).\(noise.name).sigma"
        var node = base
        let middle = (band.lowerBound * band.upperBound).squareRoot()
        try node.apply(ConfigOverride(path: path, value: .mapping([("relative", number(middle))])))
        let ends = ConfigNode(.list([number(band.lowerBound), number(band.upperBound)]))
        return .mapping([
            ("config", node), ("search", .mapping([("\(path).relative", .mapping([("log", ends)]))])),
        ])
    }
}
