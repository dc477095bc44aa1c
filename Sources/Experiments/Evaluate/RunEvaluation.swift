import Datasets
import Foundation
import Models
import PerturbedEquations
import Safetensors
import Torch
import TorchNN
import Training

/// A run's model and data, ready to be measured.
///
/// ```swift
/// var settings = RobustnessSettings()
/// settings.epsilons = [0.1]
/// settings.damage = []
/// settings.noise = [0.5]
/// let evaluation = try RunEvaluation(run: URL(fileURLWithPath: "runs/small-data"))
/// let quality = try evaluation.quality()
/// let robustness = try evaluation.robustness(settings)
/// ```
///
/// Nothing of the run changes, and no lock is taken: a run that is still being trained can be measured by its newest
/// checkpoint. Everything that is drawn is a pure function of `seed`, so that runs are measured on the same examples under
/// the same noise. The threads are the run's.
public final class RunEvaluation {
    /// The run's directory; nil for a plan that has none.
    public let directory: URL?
    public let plan: TrainingPlan
    public let weights: RunWeights
    /// Logical steps that the weights have taken.
    public let step: Int
    public let split: EvaluatedSplit
    public let seed: UInt64
    /// What the user should know of the loading.
    public let warnings: [String]
    /// Is told what was measured as it goes on.
    public var say: (String) -> Void = { _ in }

    /// Opens a run.
    ///
    /// - Parameters:
    ///   - weights: the final ones of a finished run and otherwise the latest, unless told.
    ///   - split: of the run's data.
    /// - Throws: `FileError` where no run is there, or it has no such weights; ``ConfigError``, `DatasetError`,
    ///   `CheckpointError`, `SafetensorsError`, `StateDictionaryError` for what it is made of.
    public init(
        run url: URL, weights wanted: RunWeights? = nil, split: EvaluatedSplit = .test, seed: UInt64 = 1
    ) throws {
        try Self.refuseSampled(url)
        let found = try StoredWeights(run: url, wanted)
        var config = try ExperimentConfig(contentsOf: url.appendingPathComponent("config.yaml"))
        var warnings: [String] = []
        if !Device.all.contains(config.training.device) {
            warnings.append("\(config.training.device) is not there; measured on cpu")
            config.training.device = .cpu
        }
        if split == .validation, config.training.validation == nil {
            throw ConfigError(
                .badValue, "the run holds no validation data out (training.validation); allowed: test, train",
                file: url.appendingPathComponent("config.yaml").path)
        }
        let (plan, loading) = try Experiment(config, name: url.standardizedFileURL.lastPathComponent).plan()
        step = try found.install(in: plan)
        try plan.model.move(to: plan.settings.device)
        directory = url
        self.plan = plan
        weights = found.weights
        self.split = split
        self.seed = seed
        self.warnings = warnings + found.warnings + loading
    }

    /// Refuses a sampling run, which has many sets of weights and no last one.
    static func refuseSampled(_ url: URL) throws {
        guard PosteriorEvaluation.isSampled(url) else { return }
        throw ConfigError(
            .badValue,
            "is a sampled posterior, of many sets of weights; allowed here: a run that was trained (a posterior by itself: peo "
                + "evaluate \(url.relativePath))", file: url.relativePath)
    }

    /// Measures a plan's model as it is.
    ///
    /// - Parameter step: logical steps that it has taken.
    /// - Precondition: with `split: .validation` the data have such a part.
    public init(_ plan: TrainingPlan, step: Int, split: EvaluatedSplit = .test, seed: UInt64 = 1) {
        precondition(split != .validation || plan.data.validation != nil)
        directory = nil
        self.plan = plan
        weights = .final
        self.step = step
        self.split = split
        self.seed = seed
        warnings = []
    }

    /// The part of the data that is measured on.
    var data: DataSplit { split.part(of: plan.data) }

    /// A report without what is measured.
    var header: EvaluationReport {
        EvaluationReport(
            run: directory?.relativePath ?? plan.name, name: plan.name, model: plan.modelName,
            data: plan.data.name, parameters: plan.model.parameterCount, trainingSeed: plan.settings.seed,
            weights: weights, step: step, split: split, seed: seed, peo: Experiment.version)
    }

    var key: NoiseKey { NoiseKey(seed: seed).derived("evaluate") }

    /// Examples of one backward pass: as many as training takes at once, but not more than memory is sure to hold.
    var batchSize: Int {
        let own = plan.settings.batchSize / plan.settings.accumulate
        return min(128, max(16, own))
    }

    /// Some examples of a part, the same ones for all runs on these data.
    func sample(_ count: Int, of total: Int, _ purpose: String) -> [Int] {
        guard count < total else { return Array(0..<total) }
        return key.derived(purpose).permutation(of: total).prefix(count).sorted()
    }

    /// Why a part does not apply to the run; nil where it does.
    public func refusal(of part: EvaluationPart) -> String? {
        if part == .posterior { return PosteriorEvaluation.refusal(of: plan.data.kind) }
        guard part == .robustness else { return nil }
        let why: String
        switch (plan.data.kind.input, plan.data.kind.target) {
        case (.numbers, .oneClass): return nil
        case (.tokens, _): why = "the inputs are tokens, which have no gradient and no small change"
        case (_, .classPerToken): why = "the targets are tokens"
        case (_, .number): why = "the targets are numbers, for which accuracy has no meaning"
        }
        return "robustness does not apply to this run: \(why)"
    }

    /// Measures several parts.
    ///
    /// - Parameters:
    ///   - parts: ``EvaluationPart/ofWeights`` that apply unless told.
    ///   - outside: data of another distribution, for the part `posterior`.
    /// - Throws: ``ConfigError`` for a part that was named and does not apply; what the parts throw.
    public func report(
        _ parts: [EvaluationPart]? = nil, robustness: RobustnessSettings = .init(),
        flatness: FlatnessSettings = .init(), outside: Dataset? = nil
    ) throws -> EvaluationReport {
        var report = header
        for part in parts ?? EvaluationPart.ofWeights {
            if let refusal = refusal(of: part) {
                guard parts == nil else {
                    throw ConfigError(.badValue, refusal, file: directory?.relativePath)
                }
                report.notes.append(refusal)
                continue
            }
            switch part {
            case .quality: report.quality = try quality()
            case .robustness: report.robustness = try self.robustness(robustness)
            case .flatness:
                let (found, note) = try self.flatnessAndNote(flatness)
                report.flatness = found
                if let note { report.notes.append(note) }
            case .posterior:
                let evaluation = try PosteriorEvaluation(self)
                evaluation.say = say
                report.posterior = try evaluation.report(outside: outside).posterior
            }
        }
        if plan.data.kind.target.scale != nil, report.quality != nil {
            report.notes.append(
                "calibration and Brier's score do not apply to this run: the targets are numbers")
        }
        return report
    }
}
