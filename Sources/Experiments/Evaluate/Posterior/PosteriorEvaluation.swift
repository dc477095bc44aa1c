import BayesianLearning
import Datasets
import Foundation
import PerturbedEquations
import TorchNN
import Training

/// The predictive distribution of a posterior, ready to be measured: a sampling run's draws, several runs as a deep ensemble, one
/// run under dropout, or one run's weights to compare with.
///
/// ```swift
/// let evaluation = try PosteriorEvaluation(sampled: URL(fileURLWithPath: "runs/mnist-posterior"))
/// let report = try evaluation.report(outside: DatasetCatalogue.load("fashion-mnist"))
/// ```
///
/// Nothing of the run changes, and no lock is taken: a run that still samples is measured by the draws that it has written. Members
/// go through the model one after the other, so that memory does not grow with their number, save for one float for each member and
/// number to predict.
public final class PosteriorEvaluation {
    /// What the user should know of the loading.
    public let warnings: [String]
    /// Is told what was measured as it goes on.
    public var say: (String) -> Void = { _ in }

    let model: any Module
    let data: Dataset
    let members: any PredictiveMembers
    /// The likelihood's, standardised, where the run has one.
    let deviation: Double?
    /// Without what is measured.
    let header: EvaluationReport
    let posterior: PosteriorReport
    private let key: NoiseKey

    /// - Parameter header: of the run, with what it is measured on.
    /// - Throws: ``ConfigError`` where the data have no such part, or no independent examples.
    init(
        _ members: any PredictiveMembers, _ posterior: PosteriorReport, model: any Module, data: Dataset,
        deviation: Double? = nil, header: EvaluationReport, warnings: [String] = []
    ) throws {
        if let refusal = Self.refusal(of: data.kind) {
            throw ConfigError(.badValue, refusal, file: header.run)
        }
        if header.split == .validation, data.validation == nil {
            throw ConfigError(
                .badValue, "the run holds no validation data out; allowed: test, train", file: header.run)
        }
        self.members = members
        self.posterior = posterior
        self.model = model
        self.data = data
        self.deviation = deviation
        self.header = header
        self.warnings = warnings
        key = NoiseKey(seed: header.seed).derived("evaluate")
    }

    /// Why there is no predictive distribution of such data; nil where there is one.
    static func refusal(of kind: ExampleKind) -> String? {
        guard kind.target.isPerToken else { return nil }
        return
            "the posterior part does not apply to this run: its targets are tokens of windows that overlap; allowed: data with one "
            + "class or one number for each example"
    }

    /// Measures quality and uncertainty.
    ///
    /// - Parameter outside: data of another distribution, whose test part is told from the run's data.
    /// - Throws: ``ConfigError`` for outside data that do not fit; `ModelError` (`notFinite`) naming a member; errors of the files
    ///   that hold weights; `TorchError`; `TrainingStopped` where a stop was asked for.
    public func report(outside: Dataset? = nil) throws -> EvaluationReport {
        var report = header
        var posterior = posterior
        if data.kind.target.scale == nil {
            report.quality = try classes(outside, &posterior)
        } else {
            if outside != nil {
                throw ConfigError(
                    .badValue,
                    "predicts numbers; data of another distribution are told apart by the uncertainty of a class",
                    file: header.run)
            }
            report.quality = try numbers(&posterior)
        }
        report.posterior = posterior
        return report
    }

    private var part: DataSplit { header.split.part(of: data) }

    /// The validation part, where it is not what is measured.
    private var validation: DataSplit? { header.split == .validation ? nil : data.validation }

    private func progress(_ done: Int) {
        let every = max(1, members.count / 10)
        guard members.count > 1, done.isMultiple(of: every) || done == members.count else { return }
        say("posterior: \(done) of \(members.count) members")
    }

    // MARK: Classes

    private func classes(_ outside: Dataset?, _ posterior: inout PosteriorReport) throws -> QualityReport {
        var parts = [(split: part, hasTargets: true)]
        if let validation { parts.append((validation, true)) }
        if let outside { parts.append((try outsidePart(outside), false)) }
        let found = try ClassPredictions.collect(
            members, model, on: parts, of: data.kind, progress: progress)
        let predictions = found[0]
        let stranger = outside == nil ? nil : found.last
        let classes = try ClassPosterior(predictions, outside: stranger)
        posterior.classes = classes
        if validation != nil {
            posterior.temperature = try TemperatureScaling(fittedOn: found[1], measuredOn: predictions)
        } else if predictions.count >= 2 {
            posterior.temperature = try TemperatureScaling(halving: predictions, key: key)
        }
        if let outside, let stranger {
            posterior.outOfDistribution = OutOfDistribution(
                outside.name, outside: stranger, inside: predictions)
        }
        let quality = classes.quality
        say(
            "posterior: accuracy \(percent(quality.accuracy)), loss \(short(quality.loss)), ECE "
                + "\(percent(quality.calibration.equalWidthError)); mutual information \(short(classes.mutualInformation))"
        )
        return QualityReport(
            evaluation: Evaluation(loss: quality.loss, accuracy: quality.accuracy, count: quality.count),
            classes: quality)
    }

    /// The test part of other data, standardised as the run's are.
    private func outsidePart(_ other: Dataset) throws -> DataSplit {
        guard other.kind.input == data.kind.input, case .oneClass = other.kind.target else {
            throw ConfigError(
                .badValue,
                "reads inputs of the shape \(data.kind.inputShape), and those of \(other.name) have \(other.kind.inputShape); "
                    + "allowed: data of the same shape", file: header.run)
        }
        guard let scaled = other.test.scaled(as: data.train) else {
            throw ConfigError(
                .badValue,
                "is on data that are no images of bytes, and \(other.name) could not be standardised as they are; allowed: data "
                    + "of another distribution for images alone", file: header.run)
        }
        return scaled
    }

    // MARK: Numbers

    private func numbers(_ posterior: inout PosteriorReport) throws -> QualityReport {
        let scale = data.kind.target.scale ?? TargetScale()
        let fitted = deviation == nil ? [validation ?? data.train] : []
        let found = try NumberPredictions.collect(
            members, model, on: [part] + fitted, of: data.kind, progress: progress)
        let sigma = deviation ?? found[1].deviation
        guard sigma > 0 else {
            throw ConfigError(
                .badValue,
                "predicts the data that its noise is measured on without an error, so that there is no noise to speak of",
                file: header.run)
        }
        let numbers = NumberPosterior(found[0], deviation: sigma, scale: scale)
        posterior.numbers = numbers
        posterior.deviation = sigma
        posterior.deviationSource =
            deviation != nil ? .likelihood : validation != nil ? .validation : .train
        say("posterior: rmse \(short(numbers.rmse)), log predictive density \(short(numbers.logDensity))")
        let error = numbers.rmse / scale.deviation
        return QualityReport(
            evaluation: Evaluation(
                loss: error * error, count: numbers.count, rmse: numbers.rmse, mae: numbers.mae))
    }
}

extension EvaluatedSplit {
    /// The part of the data; the test part where there is no validation part.
    func part(of data: Dataset) -> DataSplit {
        switch self {
        case .test: data.test
        case .validation: data.validation ?? data.test
        case .train: data.train
        }
    }
}
