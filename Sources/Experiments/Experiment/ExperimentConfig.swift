import Foundation
import Models
import PerturbedEquations
import Training

/// A whole experiment as a file says it: the model, the data, the training and the perturbed equation.
///
/// ```yaml
/// model: {cnn: {channels: [32, 64], hidden: 128}}
/// data: digits
/// training: {epochs: 20, batchSize: 64, seed: 1}
/// rule: {adam: {learningRate: {cosine: {from: 1e-3, to: 0, warmup: 100}}}}
/// perturbation:
///   - gaussian: {sigma: {inversePower: {from: 0.01, exponent: 0.55}}}
///   - weightPenalty: {l2: 1e-4}
/// stability: {clipGlobalNorm: 1.0, perturbationToGradient: 0.5, rollbackOnSpike: {deviations: 6}}
/// ```
///
/// `model`, `data`, `training` and `rule` must be there. `groups` gives some parameters a rule or a perturbation
/// of their own; `output` is the run's directory (default `runs/<name of the file>`).
public struct ExperimentConfig: RunConfig {
    public var model: AnyModel
    public var data: DataChoice
    public var training: TrainingSettings
    public var equation: PerturbedEquation
    public var groups: [ParameterGroup] = []
    public var output: String?

    private enum CodingKeys: String, CodingKey { case model, data, training, groups, output }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        model = try container.decode(AnyModel.self, forKey: .model)
        data = try container.decode(DataChoice.self, forKey: .data)
        training = try container.decode(TrainingSettings.self, forKey: .training)
        equation = try PerturbedEquation(ofRun: decoder)
        groups = try container.decodeIfPresent([ParameterGroup].self, forKey: .groups) ?? []
        output = try container.decodeIfPresent(String.self, forKey: .output)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(data, forKey: .data)
        try container.encode(training, forKey: .training)
        try equation.encode(to: encoder)
        if !groups.isEmpty { try container.encode(groups, forKey: .groups) }
        try container.encodeIfPresent(output, forKey: .output)
    }

    /// The configuration with everything filled in that depends on the machine: the number of threads, and
    /// full paths.
    public func resolved(threads: Int) -> ExperimentConfig {
        var resolved = self
        resolved.training.threads = training.threads ?? threads
        resolved.data = data.resolved()
        resolved.model = model.resolved()
        return resolved
    }

    public var threads: Int? { training.threads }
    public var lengths: [(name: String, value: Int?)] {
        [("epochs", training.epochs), ("steps", training.steps)]
    }

    public mutating func lengthen(by factor: Double) {
        training.epochs = training.epochs.map { max(1, Int((Double($0) * factor).rounded())) }
        training.steps = training.steps.map { max(1, Int((Double($0) * factor).rounded())) }
    }

    public mutating func holdOut(fraction: Double) {
        training.validation = training.validation ?? .init(fraction: fraction)
    }

    public static let choosingPrefix = "validation."
    public static let metricNames: Set<String> = {
        let everything = Evaluation(loss: 0, accuracy: 0, count: 1, perplexity: 0, rmse: 0, mae: 0)
        return Set(["", choosingPrefix].flatMap { everything.numbers(prefix: $0).keys })
            .union(["trainingSeconds", "gradientEvaluations"])
    }()
}
